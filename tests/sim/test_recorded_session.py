"""Every file recorded on the demo exchange in June 2026 beside what ours answers.

Compared are the status and the shape of the body, and of what the session itself decides, such
as orders, fills, positions and errors, every value that is no id and no moment. What changed on
the real exchange since is named here, with its date.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.sim.recorded_session import Recorded, Replay, replay
from tests.sim.sim_client import Answer, Json

FOLDER = ROOT.parent / "shared" / "data" / "kalshi" / "recorded" / "demo-2026-06"

# Fields that the exchange has dropped: `service` 2026-08-06, `liquidity_dollars` with 3.31.0, the
# others 2026-07-09.
GONE = frozenset(
    {
        "fractional_trading_enabled",
        "liquidity_dollars",
        "response_price_units",
        "resting_orders_count",
        "service",
    }
)
# Fields that came since, all but `subtitle` with sharding (August) and 3.34.0 (October).
# `client_order_id` is optional in the answer to a cancel and absent from the recorded one.
ADDED = frozenset(
    {"exchange_index", "settlement_bounds_type", "subtitle", "client_order_id", "clock"}
    | {"sending_ts_ms", "exchange_index_statuses", "intra_exchange_transfers_active"}
)
# Optional by the contract, and there or not by what a market is about: a temperature has a floor,
# a player's hits have a participant, a combination has legs.
OF_A_KIND = frozenset(
    {"cap_strike", "custom_strike", "early_close_condition", "floor_strike", "is_provisional"}
    | {"mve_collection_ticker", "mve_selected_legs", "occurrence_datetime"}
    | {"primary_participant_key", "strike_type"}
)
# Their inside names a thing of the market's own, a player here and a team there.
OPAQUE = frozenset({"custom_strike"})
# Ids, moments and words of the exchange's own.
VARIES = frozenset(
    {"cursor", "order_id", "trade_id", "fill_id", "user_id", "last_updated_ts", "updated_ts"}
    | {"created_time", "last_update_time", "ts", "client_order_id"}
)
# What the replayed session decides to the last digit.
EXACT = frozenset(
    {
        "auth__balance_alt_host",
        "auth__balance_ok",
        "exchange__status",
        "fills__after_taker",
        "markets__limit_over_max",
        "orderbook__base",
        "orders__cancel_v2",
        "orders__create_v2_maker",
        "orders__create_v2_taker_ioc",
        "orders__get_after_cancel",
        "orders__get_after_create",
        "orders__settlement_seed",
        "orders__stp_resting_after",
        "orders__stp_self_cross",
        "orders__stp_setup",
        "cleanup__stp_resting",
        "portfolio__positions",
        "series__fee_changes",
        "settlements__end_of_session",
        "settlements__page",
        "ws__orderbook_trade_noleg",
        "ws__orderbook_trade_yes",
    }
)
# Recordings whose answer is another one today, and why.
CHANGED = {
    "orders__legacy_create": "the first version of the order endpoints answers 410 since June 2026",
    "orders__legacy_cancel": "the first version of the order endpoints answers 410 since June 2026",
}
# Recordings that are no answer to a request.
UNASKED = {
    "markets__high_temp": "a bare list of markets: neither its request nor its status was recorded",
}

NAMES = sorted({path.name.partition(".")[0] for path in FOLDER.glob("*.json*")})
ASKED = [name for name in NAMES if name not in UNASKED]


@pytest.fixture(scope="module")
def replayed(shared_data: Path) -> Replay:
    assert shared_data.exists()
    return replay(FOLDER, ASKED)


def check(ours: Any, recorded: Sequence[Any], where: str, *, exact: bool) -> None:
    """Check a value against the recorded ones that it stands for."""
    assert type(ours) in {type(one) for one in recorded}, f"{where}: {ours!r}"
    if isinstance(ours, dict):
        _check_names(ours, [one for one in recorded if isinstance(one, dict)], where, exact=exact)
    elif isinstance(ours, list):
        items = [item for one in recorded for item in one]
        assert bool(ours) == bool(items), where
        assert not exact or len(ours) == len(items), where
        for index, item in enumerate(ours):
            like = [items[index]] if exact else items
            check(item, like, f"{where}[{index}]", exact=exact)
    elif exact:
        assert ours in recorded, f"{where}: {ours!r} for {recorded!r}"


def _check_names(ours: Json, recorded: list[Json], where: str, *, exact: bool) -> None:
    always = set.intersection(*(set(one) for one in recorded)) - GONE - OF_A_KIND
    ever = set.union(*(set(one) for one in recorded)) | ADDED | OF_A_KIND
    assert always <= set(ours), f"{where}: {sorted(always - set(ours))} are missing"
    assert set(ours) <= ever, f"{where}: {sorted(set(ours) - ever)} were never recorded"
    for name, value in ours.items():
        like = [one[name] for one in recorded if name in one]
        if like and name not in OPAQUE:
            check(value, like, f"{where}.{name}", exact=exact and name not in VARIES)
        if name == "cursor":
            assert bool(value) == bool(like[0]), f"{where}: only the last page has no cursor"


@pytest.mark.parametrize("name", NAMES)
def test_every_recording_gets_its_recorded_answer(name: str, replayed: Replay) -> None:
    """Status and body, or the reason why there is nothing to compare."""
    if name in UNASKED:
        assert not (FOLDER / f"{name}.meta.json").exists(), "it can be replayed after all"
        return
    recorded, answer = Recorded.read(FOLDER, name), replayed.answers[name]
    if isinstance(answer, list):
        exact = name in EXACT
        check(answer, [recorded.body], name, exact=exact)
        return
    if name in CHANGED:
        assert (recorded.status, answer.status) in {(200, 410), (201, 410)}
        assert answer.json["error"]["code"] == "deprecated_v1_order_endpoint"
        return
    assert isinstance(answer, Answer)
    assert answer.status == recorded.status, answer.body
    check(answer.json, [recorded.body], name, exact=name in EXACT or recorded.status >= 400)


def test_all_lists_name_files_that_are_there(shared_data: Path) -> None:
    """A recording that went away or changed its name is noticed, and none is replayed twice."""
    assert shared_data.exists()
    assert {*EXACT, *CHANGED, *UNASKED} <= set(NAMES)
    assert len(NAMES) == len({*NAMES})
    assert len(ASKED) >= 50


def test_pages_lead_to_one_another(replayed: Replay) -> None:
    """The recorded walk along three pages shows fifteen different markets."""
    pages = [replayed.answers[f"markets__page{number}"].json for number in (1, 2, 3)]
    assert len({market["ticker"] for page in pages for market in page["markets"]}) == 15


def test_a_garbage_cursor_is_the_first_page(replayed: Replay) -> None:
    """As recorded, it is no error."""
    garbage = replayed.answers["markets__garbage_cursor"].json
    assert garbage == replayed.answers["markets__page1"].json
