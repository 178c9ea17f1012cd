"""One engine per account on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from arb.engine.account import AccountLock, AccountTaken, account_name

REST = "https://external-api.kalshi.com/trade-api/v2"


def test_an_account_has_one_engine_on_this_machine(tmp_path: Path) -> None:
    """By its key, whatever name of the exchange is used; another key is another account."""
    with AccountLock(REST, "a-key", tmp_path) as lock:
        assert "held" in repr(lock)
        elections = "https://api.elections.kalshi.com/trade-api/v2"
        for url in (REST, elections):
            with pytest.raises(AccountTaken, match="another engine on this machine"):
                AccountLock(url, "a-key", tmp_path).__enter__()
        with AccountLock(REST, "another", tmp_path):
            pass
    assert "free" in repr(lock)
    with AccountLock(REST, "a-key", tmp_path):
        pass
    lock.__exit__(None, None, None)


def test_accounts_of_two_simulated_exchanges_are_two(tmp_path: Path) -> None:
    """Worlds of one seed hand out one key id."""
    with (
        AccountLock("http://127.0.0.1:1/trade-api/v2", "a-key", tmp_path),
        AccountLock("http://127.0.0.1:2/trade-api/v2", "a-key", tmp_path),
    ):
        assert account_name("a-key") == account_name("a-key") != account_name("b")


def test_a_lock_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    """A link in its place is not followed, and a missing folder not made."""
    with pytest.raises(AccountTaken, match="cannot be made"):
        AccountLock(REST, "a-key", tmp_path / "missing").__enter__()
    with AccountLock(REST, "a-key", tmp_path):
        (path,) = tmp_path.iterdir()
    path.unlink()
    path.symlink_to("/etc/passwd")
    with pytest.raises(AccountTaken, match="cannot be opened"):
        AccountLock(REST, "a-key", tmp_path).__enter__()
