"""The settings that decide what is traded: strategy, risk and execution, as frozen values.

Thresholds are whole cents here because a person writes them; the properties give them in the
units the code counts in.
"""

from __future__ import annotations

from enum import StrEnum

import attrs

from arb.core.devig import METHODS
from arb.core.money import (
    ONE_CENT_E4,
    ONE_CENT_E6,
    ONE_CONTRACT_E2,
    CountE2,
    MoneyE6,
    PriceE4,
)
from arb.core.setting import setting
from arb.core.voices import (
    WEIGHT_USUAL,
    Combining,
    Pooling,
    families_problem,
    pooling_of,
    weights_problem,
)

EXITS_KEEP = "keep"
EXITS_CANCEL = "cancel"


class Sizing(StrEnum):
    """How large an entry is before limits, balance and what is offered cut it."""

    FIXED = "fixed"
    KELLY = "kelly"


LANE_HTTP1 = "http1"
LANE_HTTP2 = "http2"


@attrs.frozen(kw_only=True)
class Strategy:
    """What makes a market worth a trade."""

    taker_edge_threshold: int = setting(
        5,
        "at this edge the fill is worth the taker's fee: buy at the ask",
        unit="cents",
        low=1,
        high=99,
    )
    maker_edge_threshold: int = setting(
        2,
        "from this edge on a resting buy pays, which is cheaper but may not fill",
        unit="cents",
        low=1,
        high=99,
    )
    min_edge_after_fees: int = setting(
        1,
        "what the whole round trip must leave after both fees, per contract",
        unit="cents",
        low=0,
        high=99,
    )
    max_edge_threshold: int = setting(
        15,
        "an edge above this is an error until proven otherwise: it is logged and not traded",
        unit="cents",
        low=1,
        high=99,
    )
    min_books: int = setting(
        3,
        "fewer books are no consensus: one that lags would be the fair value",
        unit="books",
        low=1,
        high=30,
    )
    consensus: str = setting(
        "median",
        "how the books become one fair value: a median is not moved by one that is wrong, weighted"
        " is a mean of log-odds that listens to book_weights",
        choices=tuple(Combining),
    )
    book_weights: tuple[str, ...] = setting(
        (
            "Pinnacle=1.0",
            "Circa=0.8",
            "BookMaker=0.6",
            "BetOnline=0.6",
            "FanDuel=0.4",
            "DraftKings=0.35",
        ),
        "how much a book counts beside others in a weighted consensus: those that others follow"
        f" count most; any other counts {WEIGHT_USUAL:g}",
        check=weights_problem,
    )
    book_families: tuple[str, ...] = setting(
        (
            "Caesars+William Hill",
            "BetMGM+bwin+Ladbrokes+Coral",
            "FanDuel+Paddy Power+Sky Bet",
            "BetRivers+Unibet",
        ),
        "books of one company copy one price: together they are one book",
        check=families_problem,
    )
    devig_method: str = setting(
        "multiplicative",
        "how a book's margin is taken out; in two-way tests no other was better for all sports",
        choices=tuple(METHODS),
    )
    slippage_buffer: int = setting(
        0,
        "taken off every edge: an entry never fills above its price, so this is for exits that end"
        " below fair value, once arb trades shows by how much; thresholds leave a margin already",
        unit="cents",
        low=0,
        high=50,
    )
    sizing: str = setting(
        Sizing.FIXED.value,
        "fixed buys contracts_per_order; kelly what the edge and the cash call for, within every"
        " limit",
        choices=tuple(Sizing),
    )
    kelly_fraction: float = setting(
        0.25,
        "share of the full Kelly stake: a chance that is off by a few cents makes the full one"
        " ruinous, a quarter still grows at 7/16 of its rate",
        low=0.01,
        high=1.0,
    )
    in_play: bool = setting(
        False,  # noqa: FBT003 - a setting's default
        "entries after the scheduled start: Kalshi leads the books by up to minutes then, and what"
        " looks like an edge is mostly news that the books do not have yet",
    )
    in_play_edge_threshold: int = setting(
        8,
        "with in_play, no edge below this is bought once the game has begun: prices move by cents"
        " between two quotes",
        unit="cents",
        low=1,
        high=99,
    )
    excluded_books: tuple[str, ...] = setting(
        ("Kalshi", "Polymarket"),
        "prediction markets follow the price that is to be judged: no evidence of fair value",
    )

    @property
    def taker_edge_e4(self) -> PriceE4:
        """Return ``taker_edge_threshold`` as a price difference."""
        return PriceE4(self.taker_edge_threshold * ONE_CENT_E4)

    @property
    def maker_edge_e4(self) -> PriceE4:
        """Return ``maker_edge_threshold`` as a price difference."""
        return PriceE4(self.maker_edge_threshold * ONE_CENT_E4)

    @property
    def max_edge_e4(self) -> PriceE4:
        """Return ``max_edge_threshold`` as a price difference."""
        return PriceE4(self.max_edge_threshold * ONE_CENT_E4)

    @property
    def slippage_e4(self) -> PriceE4:
        """Return ``slippage_buffer`` as a price difference."""
        return PriceE4(self.slippage_buffer * ONE_CENT_E4)

    @property
    def pooling(self) -> Pooling:
        """Return how the books become one fair value."""
        return pooling_of(self.consensus, self.book_weights, self.book_families)

    @property
    def min_net_e4(self) -> PriceE4:
        """Return ``min_edge_after_fees`` as a price difference."""
        return PriceE4(self.min_edge_after_fees * ONE_CENT_E4)


@attrs.frozen(kw_only=True)
class Risk:
    """How much may be lost at most."""

    max_contracts_per_market: int = setting(
        10,
        "one game's surprise must stay affordable",
        unit="contracts",
        low=1,
        high=100_000,
    )
    max_total_exposure_cents: int = setting(
        50_000,
        "all that may be at risk at once, open orders and unknown ones included",
        unit="cents",
        low=1,
        high=100_000_000,
    )
    max_game_exposure_cents: int = setting(
        1_000,
        "what one game may cost however it ends: its two markets are one bet, and this is what the"
        " contracts of one of them cost at most",
        unit="cents",
        low=1,
        high=100_000_000,
    )
    max_concurrent_markets: int = setting(
        5,
        "how many markets may hold a position or an entry at once",
        unit="markets",
        low=1,
        high=5_000,
    )
    max_daily_loss_cents: int = setting(
        10_000,
        "at this loss since midnight US Eastern, what is held at today's bids, trading halts: a"
        " fifth of all that may be at risk is no ordinary day",
        unit="cents",
        low=1,
        high=100_000_000,
    )
    max_orders_per_second: int = setting(
        10,
        "no entry beside so many orders within a second: games move one at a time, and a loop that"
        " sends is stopped long before the exchange's own limit",
        unit="orders",
        low=1,
        high=1_000,
    )
    max_consecutive_refusals: int = setting(
        10,
        "so many entries refused by the exchange one after the other are no bad luck: the exchange"
        " or this program has changed, and trading halts",
        unit="orders",
        low=1,
        high=1_000,
    )
    price_collar: int = setting(
        25,
        "an entry this far from its own fair value is an error, whoever made it",
        unit="cents",
        low=1,
        high=99,
    )

    in_play_max_contracts: int = setting(
        5,
        "with in_play, the limit of a market once its game has begun, where it is the lower one",
        unit="contracts",
        low=1,
        high=100_000,
    )

    @property
    def max_contracts_per_market_e2(self) -> CountE2:
        """Return ``max_contracts_per_market`` as a count."""
        return CountE2(self.max_contracts_per_market * ONE_CONTRACT_E2)

    @property
    def max_total_exposure_e6(self) -> MoneyE6:
        """Return ``max_total_exposure_cents`` as money."""
        return MoneyE6(self.max_total_exposure_cents * ONE_CENT_E6)

    @property
    def max_game_exposure_e6(self) -> MoneyE6:
        """Return ``max_game_exposure_cents`` as money."""
        return MoneyE6(self.max_game_exposure_cents * ONE_CENT_E6)

    @property
    def max_daily_loss_e6(self) -> MoneyE6:
        """Return ``max_daily_loss_cents`` as money."""
        return MoneyE6(self.max_daily_loss_cents * ONE_CENT_E6)


@attrs.frozen(kw_only=True)
class Execution:
    """How orders are sent, watched and taken back."""

    contracts_per_order: int = setting(
        5,
        "size of one entry: two of them fill a market's limit",
        unit="contracts",
        low=1,
        high=100_000,
    )
    maker_timeout_ms: int = setting(
        500,
        "a resting buy that has not filled by then rests at an old fair value",
        unit="ms",
        low=50,
        high=600_000,
    )
    stale_odds_threshold_ms: int = setting(
        5_000,
        "no order unless the quote that triggers it changed at most this long ago",
        unit="ms",
        low=100,
        high=600_000,
    )
    book_confirm_ms: int = setting(
        60_000,
        "a book supports a fair value only if its price was confirmed this recently",
        unit="ms",
        low=1_000,
        high=3_600_000,
    )
    order_lanes: int = setting(
        3,
        "warm connections for orders: one request at a time each, so that none waits",
        unit="connections",
        low=1,
        high=16,
    )
    lane_protocol: str = setting(
        LANE_HTTP1,
        "how orders are sent: the quicker of the two to the last byte, measured side by side",
        choices=(LANE_HTTP1, LANE_HTTP2),
    )
    request_timeout_ms: int = setting(
        2_000,
        "an order without an answer by then is unknown, counts as open, and is looked up",
        unit="ms",
        low=100,
        high=60_000,
    )
    order_group_contracts: int = setting(
        100,
        "more than this filled by entries within 15 s and the exchange itself cancels and refuses"
        " entries: twice what five markets of ten may hold; 0 trades without that brake",
        unit="contracts",
        low=0,
        high=1_000_000,
    )
    clock_limit_ms: int = setting(
        2_000,
        "no entry while the exchange's clock is further off than this: it takes stamps 5 s off,"
        " and ready signatures are stamped up to 2 s off",
        unit="ms",
        low=100,
        high=3_000,
    )
    entry_expiry_s: int = setting(
        15,
        "the exchange removes an entry whose cancel never arrived",
        unit="s",
        low=5,
        high=3_600,
    )
    exit_expiry_s: int = setting(
        21_600,
        "longer than any game, and yet a sale must not rest for ever at an old fair value",
        unit="s",
        low=60,
        high=604_800,
    )
    reconcile_interval_ms: int = setting(
        30_000,
        "how often positions and orders are compared with what the exchange says",
        unit="ms",
        low=1_000,
        high=3_600_000,
    )
    exits_at_stop: str = setting(
        EXITS_KEEP,
        "resting exits when the engine stops: kept, they go on lessening positions",
        choices=(EXITS_KEEP, EXITS_CANCEL),
    )

    @property
    def contracts_per_order_e2(self) -> CountE2:
        """Return ``contracts_per_order`` as a count."""
        return CountE2(self.contracts_per_order * ONE_CONTRACT_E2)
