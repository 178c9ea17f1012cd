"""``arb trades``, ``positions``, ``why`` and ``export`` as typed, while no engine runs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import orjson
import pytest

from arb.cli import why as why_module
from arb.cli.errors import CommandFailed, UsageError
from arb.core.adoption import AdoptedAccount
from arb.core.events import Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.engine.place import Place
from arb.journal.decisions import DecisionRow, DecisionStore
from arb.journal.records import RecordKind, account_data, fill_data, intent_data, report_data
from tests.cli.journal_places import START_MS, open_journal, run, use_root
from tests.core.order_factory import BOS, CASH, ENTRY, EXIT, NYY, accepted, fill

Printed = pytest.CaptureFixture[str]

BUY, SALE = "arb-i1-00000001", "arb-i1-00000002"
QUOTE = {
    "book": "Pinnacle",
    "home": 1.8,
    "away": 2.2,
    "changed_ms": START_MS + 900,
    "confirmed_ms": START_MS + 950,
    "suspended": True,
}
INPUTS = {
    "fair": 0.55,
    "bid_e4": 4_900,
    "bid_size_e2": 1_000,
    "ask_e4": 5_000,
    "ask_size_e2": 2_000,
    "edge_e4": 500,
    "net_e4": 300,
    "quote_changed_ms": START_MS,
    "books": 6,
}
BOUGHT = {
    **INPUTS,
    "trigger_ns": 1,
    "changed_book": "Pinnacle",
    "exit_e4": 5_500,
    "quotes": [QUOTE],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """An engine's files: five were bought, two of them are sold, a sale of three rests."""
    use_root(tmp_path, monkeypatch)
    made, journal = open_journal(tmp_path)
    account = AdoptedAccount(MoneyE6(CASH), (), ())
    journal.append(RecordKind.ACCOUNT, account_data(account))
    journal.append(RecordKind.INTENT, intent_data(BUY, ENTRY))
    bought = fill(client_order_id=BUY, order_id="x1", count_e2=CountE2(500), fee_e6=MoneyE6(1_000))
    journal.append(RecordKind.FILL, fill_data(bought))
    journal.append(RecordKind.INTENT, intent_data(SALE, EXIT))
    journal.append(RecordKind.REPORT, report_data(attrs.evolve(accepted(SALE), order_id="x2")))
    sold = attrs.evolve(
        bought,
        trade_id="t2",
        client_order_id=SALE,
        order_id="x2",
        side=Side.ASK,
        price_e4=PriceE4(5_500),
        count_e2=CountE2(200),
    )
    journal.append(RecordKind.FILL, fill_data(sold))
    monkeypatch.setattr(why_module, "SystemClock", lambda: StoppedAt(START_MS + 60_000))
    yield made
    journal.close()


@attrs.frozen
class StoppedAt:
    """A clock that stands still."""

    at_ms: int

    def wall_ms(self) -> int:
        """Return the moment at which it stands."""
        return self.at_ms


def decide(place: Place) -> None:
    """Keep two decisions beside the journal: a skip that lasted, and the purchase."""
    store = DecisionStore(place.decisions_path)
    skip = DecisionRow(1, NYY, START_MS, START_MS + 800, 7, "SKIP", "edge too thin", INPUTS)
    bought_ms = START_MS + 1_000
    bought = DecisionRow(2, NYY, bought_ms, bought_ms, 1, "TAKER", "edge for a taker", BOUGHT)
    store.write([skip, bought], START_MS)
    store.close()


def printed_json(capsys: Printed) -> dict[str, Any]:
    """Return the one object that was printed."""
    found: dict[str, Any] = orjson.loads(capsys.readouterr().out)
    return found


@pytest.mark.usefixtures("place")
def test_trades_are_listed_with_fees_and_gains(capsys: Printed) -> None:
    """Each fill is a line; the latest can be asked for alone, and one market's."""
    run("trades")
    said = capsys.readouterr().out
    assert "Journal of sim w1: 2 trades, the last 2" in said
    assert "BUY entry maker" in said
    assert "SELL exit maker" in said
    assert "+$0.10" in said

    run("trades", "--last", "1", "--json")
    (last,) = printed_json(capsys)["trades"]
    assert (last["order"], last["gained_e6"], last["held_e2"]) == (SALE, 100_000 - 1_000, 300)
    run("trades", NYY, "--last", "0", "--json")
    assert len(printed_json(capsys)["trades"]) == 2
    run("trades", BOS)
    assert "0 trades" in capsys.readouterr().out
    with pytest.raises(UsageError, match="--last -1 must be 0 or more"):
        run("trades", "--last", "-1")


@pytest.mark.usefixtures("place")
def test_positions_show_what_is_held_and_what_rests(capsys: Printed) -> None:
    """Cost, exits and sums, in words and in the units of their names."""
    run("positions")
    said = capsys.readouterr().out
    assert "1 positions; realised +$0.10 after $0.00 of fees" in said
    assert "3 at 55 resting" in said

    run("positions", "--json")
    found = printed_json(capsys)
    (held,) = found["positions"]
    assert (held["count_e2"], held["entry_e4"], held["cost_e6"]) == (300, 5_000, 1_500_000)
    assert [each["id"] for each in held["exits"]] == [SALE]
    assert (found["realised_e6"], found["fees_e6"]) == (100_000, 2_000)


def test_a_flat_account_has_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Printed
) -> None:
    """Nothing held is one line."""
    use_root(tmp_path, monkeypatch)
    open_journal(tmp_path)
    run("positions")

    assert capsys.readouterr().out.count("\n") == 1


def test_a_market_is_explained_decision_by_decision(place: Place, capsys: Printed) -> None:
    """Skips and orders stand in their order, each with inputs and reason."""
    decide(place)
    run("why", NYY)
    lines = capsys.readouterr().out.splitlines()

    assert lines[0] == f"Journal of sim w1, {NYY}"
    assert "7 times  SKIP: edge too thin; fair 55.0 of 6 books, bid 49 ask 50 (10 / 20)" in lines[1]
    said = "\n".join(lines)
    assert "TAKER: edge for a taker" in said
    assert "Pinnacle: home 1.8 away 2.2, changed 100 ms and confirmed 50 ms before" in said
    assert ", changed last, suspended" in said
    assert "to be sold again at 55¢" in said
    assert said.index(f"ORDER {BUY}") < said.index(f"ORDER {SALE}")
    assert said.count("TAKER") == 2


def test_an_order_is_explained_by_its_id(place: Place, capsys: Printed) -> None:
    """What it followed from, what it was for, and all that became of it."""
    decide(place)
    run("why", BUY)
    said = capsys.readouterr().out
    assert SALE not in said
    assert f"ORDER {BUY} filled 5 at 50¢ as maker" in said

    run("why", BUY, "--json")
    found = printed_json(capsys)
    (order,) = found["orders"]
    assert (order["id"], order["decision"]) == (BUY, 2)
    assert [each["number"] for each in found["decisions"]] == [1, 2]
    run("why", SALE, "--json")
    assert printed_json(capsys)["orders"][0]["decision"] is None


@pytest.mark.usefixtures("place")
def test_orders_are_explained_without_decisions(capsys: Printed) -> None:
    """An engine whose decisions are gone is explained from its journal."""
    run("why", NYY)

    assert "buy 5 at 50¢: fair value 55.00¢" in capsys.readouterr().out


def test_what_cannot_be_explained_is_told(place: Place) -> None:
    """Nothing known, no time, and a file that cannot be read."""
    with pytest.raises(CommandFailed, match=f"{BOS!r} is no order of this journal"):
        run("why", BOS)
    with pytest.raises(UsageError, match="0 hours are none"):
        run("why", NYY, "--hours", "0")
    place.decisions_path.write_bytes(b"no database" * 100)
    with pytest.raises(CommandFailed, match=r"decisions\.sqlite cannot be read"):
        run("why", NYY)


def test_a_damaged_journal_answers_nothing(place: Place) -> None:
    """Every question says where the journal is wrong instead of a number that may be."""
    data = place.journal_path.read_bytes()
    place.journal_path.write_bytes(data.replace(b"5000", b"5001", 1))

    for command in (["trades"], ["positions"], ["why", NYY], ["export", "--csv", "x.csv"]):
        with pytest.raises(CommandFailed, match=r"journal: byte \d+: the record does not match"):
            run(*command)


@pytest.mark.usefixtures("place")
def test_trades_and_lots_are_exported(tmp_path: Path, capsys: Printed) -> None:
    """Two files of exact decimals: every trade, and every lot with its fees and its gain."""
    path = tmp_path / "out.csv"
    run("export", "--csv", str(path))
    assert "2 trades in" in capsys.readouterr().out
    with path.open(encoding="utf-8") as file:
        bought, sold = csv.DictReader(file)
    with (tmp_path / "out-lots.csv").open(encoding="utf-8") as file:
        closed, held = csv.DictReader(file)

    assert (bought["what"], bought["contracts"], bought["price_dollars"]) == (
        "entry",
        "5.00",
        "0.5000",
    )
    assert (sold["gain_dollars"], sold["time"]) == ("0.099000", "1970-01-01T00:00:02.000Z")
    # Two fifths of the purchase's fee, and all of the sale's.
    assert (closed["fees_dollars"], closed["gain_dollars"]) == ("0.001400", "0.098600")
    assert (held["contracts"], held["closed"], held["gain_dollars"]) == ("3.00", "", "")

    run("export", "--csv", str(path), "--json")
    assert printed_json(capsys)["lots"] == 2


@pytest.mark.usefixtures("place")
def test_an_export_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file to write, a folder that is there, and the library for Parquet."""
    for options in ([], ["--csv", "a", "--parquet", "b"]):
        with pytest.raises(UsageError, match="say one of --csv PATH and --parquet PATH"):
            run("export", *options)
    with pytest.raises(CommandFailed, match="cannot be written: No such file"):
        run("export", "--csv", str(tmp_path / "nowhere" / "x.csv"))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(CommandFailed, match="needs pyarrow, which is not installed"):
        run("export", "--parquet", "x.parquet")


@pytest.mark.usefixtures("place")
def test_parquet_is_written_where_its_library_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same rows go to pyarrow, which is not a dependency."""
    written: dict[str, int] = {}

    class Table:
        """What stands for pyarrow's table."""

        from_pylist = staticmethod(len)

    arrow, files = ModuleType("pyarrow"), ModuleType("pyarrow.parquet")
    vars(arrow)["Table"] = Table
    vars(files)["write_table"] = lambda rows, path: written.update({path.name: rows})
    monkeypatch.setitem(sys.modules, "pyarrow", arrow)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", files)
    run("export", "--parquet", str(tmp_path / "out.parquet"))

    assert written == {"out.parquet": 2, "out-lots.parquet": 2}


@pytest.mark.usefixtures("place")
def test_an_export_of_nothing_is_an_empty_file(tmp_path: Path) -> None:
    """An engine that has not traded yet has no rows to name."""
    open_journal(tmp_path, "sim", "w9")
    run("export", "--csv", str(tmp_path / "x.csv"), "--world", "w9")

    assert (tmp_path / "x.csv").read_text(encoding="utf-8") == ""
