"""A short journal with a record of each kind, to be damaged."""

from __future__ import annotations

from arb.core.commands import OrderIntent, Purpose, TimeInForce
from arb.core.events import Fill, Liquidity, OrderAccepted, Side
from arb.core.money import CountE2, MoneyE6, PriceE4
from arb.journal.records import (
    Record,
    RecordKind,
    encode,
    fill_data,
    intent_data,
    report_data,
)
from tools.fuzzing.corpus import EPOCH_MS

_TICKER = "KXNFLGAME-26SEP14DENKC-DEN"
_ORDER = "arb-00000001"
_PRICE, _COUNT = PriceE4(5_000), CountE2(100)
_INTENT = OrderIntent(
    ticker=_TICKER,
    game_id="g",
    purpose=Purpose.ENTRY,
    side=Side.BID,
    price_e4=_PRICE,
    count_e2=_COUNT,
    liquidity=Liquidity.TAKER,
    time_in_force=TimeInForce.IMMEDIATE_OR_CANCEL,
    post_only=False,
    trigger_ns=0,
    fair=0.6,
)
_FILL = Fill(
    "t-1", "o-1", _ORDER, _TICKER, Side.BID, _PRICE, _COUNT, MoneyE6(17_500), Liquidity.TAKER,
    EPOCH_MS,
)  # fmt: skip
_ACCOUNT = {
    "cash_e6": 10**9,
    "positions": [{"ticker": "T", "count_e2": 100, "cost_e6": 500_000}],
    "trade_ids": ["a"],
}

RECORDS = tuple(
    encode(Record(number, kind, EPOCH_MS, data))
    for number, (kind, data) in enumerate(
        (
            (RecordKind.START, {}),
            (RecordKind.ACCOUNT, _ACCOUNT),
            (RecordKind.INTENT, intent_data(_ORDER, _INTENT)),
            (RecordKind.REPORT, report_data(OrderAccepted(_ORDER, "o-1", _COUNT, CountE2(0)))),
            (RecordKind.FILL, fill_data(_FILL)),
            (RecordKind.HALT, {"reason": "drill", "by": "person"}),
            (RecordKind.CLEAR, {}),
        ),
        start=1,
    )
)
