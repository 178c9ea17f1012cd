"""The crowd that keeps books busy: so many changes a second, and nobody's price by it."""

from __future__ import annotations

from arb.sim.exchange.lifecycle import pause_trading, resume_trading
from arb.sim.exchange.values import BookSide
from arb.sim.simulation import Simulation, SimulationSettings
from tests.sim.sim_client import HandClock


def changes_in(seconds: float, rate: float, *, paused: bool = False) -> int:
    clock = HandClock()
    world = Simulation(SimulationSettings(games=2, book_changes_per_s=rate), clock)
    if paused:
        pause_trading(world.venue)
    # A market's own clock counts the changes of its book.
    before = sum(market.clock for market in world.venue.markets.values())
    for _ in range(round(seconds / 0.05)):
        clock.now_ms += 50
        world.step(0.05)
    return sum(market.clock for market in world.venue.markets.values()) - before


def test_the_books_change_as_often_as_asked() -> None:
    """On top of what makers and takers do, to within a twentieth."""
    quiet, busy = changes_in(5, 0), changes_in(5, 1_000)

    assert quiet < 300
    assert 4_750 < busy - quiet < 5_300


def test_a_pause_is_quiet() -> None:
    """Nothing is placed while trading rests, and nothing is made up for afterwards."""
    assert changes_in(2, 1_000, paused=True) == 0


def test_nobodys_price_depends_on_it() -> None:
    """The touch of every market is the makers', with and without the crowd."""
    clock = HandClock()
    world = Simulation(SimulationSettings(games=4, book_changes_per_s=2_000), clock)
    for _ in range(100):
        clock.now_ms += 50
        world.step(0.05)
        for market in world.venue.markets.values():
            for side in BookSide:
                best_e4 = market.book.best_e4(side)
                owners = {o.account for o in market.book.orders() if o.price_e4 == best_e4}
                assert owners != {"crowd"}, market


def test_it_goes_on_after_its_orders_are_gone() -> None:
    """An order that a pause has cancelled is forgotten, not mourned."""
    clock = HandClock()
    world = Simulation(SimulationSettings(games=1, book_changes_per_s=500), clock)
    for _ in range(20):
        world.step(0.05)
    pause_trading(world.venue)
    for order in world.venue.accounts["crowd"].resting.copy().values():
        world.venue.take_off_book(order, order.change)
    resume_trading(world.venue)
    for _ in range(20):
        world.step(0.05)

    assert world.venue.accounts["crowd"].resting
