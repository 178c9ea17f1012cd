import trio, random, pytest
async def test_maker(open_rig, autojump_clock):
    from arb.settings import Settings
    from arb.core.parameters import Strategy
    async with open_rig(settings=Settings(strategy=Strategy(taker_edge_threshold=60, min_edge_after_fees=0))) as rig:
        await trio.sleep(60)
        for o in rig.orders(): print(o.created_ms%1000000, o.ticker, o.side, o.price_e4, o.initial_e2, o.filled_e2, o.remaining_e2,o.status, o.request.lifetime, o.expires_s,o.change, o.updated_ms%1000000)
        print(rig.board.decisions, rig.board.refusals)
async def test_taker(open_rig, autojump_clock):
    async with open_rig() as rig:
        await trio.sleep(30)
        for o in rig.orders(): print(o.created_ms%1000000, o.ticker, o.side, o.price_e4, o.initial_e2, o.filled_e2, o.remaining_e2,o.status, o.request.lifetime, o.expires_s,o.change, o.updated_ms%1000000)
        print(rig.board.decisions, rig.board.refusals, rig.held_e2)
        print(rig.risk._books.ledger.illegal_reports, rig.account.total_cash_e6)
