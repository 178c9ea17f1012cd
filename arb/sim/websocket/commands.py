"""The commands of a client: subscribe, update, unsubscribe, list."""

from __future__ import annotations

from typing import Any

import orjson

from arb.sim.conditions import LOST
from arb.sim.rest.words import Json
from arb.sim.websocket.session import Session
from arb.sim.websocket.subscriptions import (
    ABOUT_EVERYTHING,
    Channel,
    Code,
    CommandError,
    Subscription,
)


def obey(session: Session, text: str) -> None:
    """Carry out one command and answer it; a bad one is answered with its error code."""
    command_id: object = None
    try:
        command = _object(_parsed(text))
        command_id = command.get("id")
        _run(session, command, command_id if isinstance(command_id, int) else 0)
    except CommandError as error:
        code, words = error.code
        message: Json = {"type": "error", "msg": {"code": code, "msg": words}}
        if isinstance(command_id, int):
            message["id"] = command_id
        session.send(message)


def _run(session: Session, command: dict[str, Any], command_id: int) -> None:
    name = command.get("cmd")
    if name == "list_subscriptions":
        listed = [
            {"channel": one.channel.value, "sid": one.sid} for one in session.subscriptions.values()
        ]
        session.send({"id": command_id, "type": "ok", "msg": listed})
        return
    runner = {"subscribe": _subscribe, "update_subscription": _update, "unsubscribe": _leave}.get(
        str(name)
    )
    if runner is None:
        raise CommandError(Code.COMMAND)
    params = command.get("params")
    if not isinstance(params, dict):
        raise CommandError(Code.PARAMS)
    runner(session, params, command_id)


def _subscribe(session: Session, params: dict[str, Any], command_id: int) -> None:
    refused = session.venue.conditions.refuse_subscriptions
    if refused is not None:
        session.venue.conditions.struck("refuse_subscriptions")
        raise CommandError(Code.refusal(refused))
    names = params.get("channels")
    if not isinstance(names, list) or not names:
        raise CommandError(Code.CHANNELS)
    channels = [_channel(name) for name in names]
    tickers = _tickers(session, params)
    if tickers is None and Channel.BOOK in channels:
        raise CommandError(Code.MARKET)
    opened: list[Subscription] = []
    for channel in channels:
        wanted = None if channel in ABOUT_EVERYTHING else tickers
        one = session.subscription(channel)
        if one is None:
            opened.append(_open(session, channel, wanted, params, command_id))
        else:
            _extend(session, one, wanted, command_id)
    # Every acknowledgement comes before the first snapshot, as recorded.
    for one in opened:
        _begin(session, one, params)


def _open(
    session: Session,
    channel: Channel,
    tickers: dict[str, None] | None,
    params: dict[str, Any],
    command_id: int,
) -> Subscription:
    one = session.subscribe(channel, None if tickers is None else dict(tickers))
    one.use_yes_price = params.get("use_yes_price") is True
    one.quiet_ack = params.get("skip_ticker_ack") is True
    acknowledgement = {"channel": channel.value, "sid": one.sid}
    session.send({"id": command_id, "type": "subscribed", "msg": acknowledgement})
    return one


def _begin(session: Session, one: Subscription, params: dict[str, Any]) -> None:
    if one.channel is Channel.TICKER and params.get("send_initial_snapshot") is True:
        for ticker in one.tickers or session.venue.markets:
            session.ticker(one, ticker)
    _snapshots(session, one, one.tickers)


def _extend(
    session: Session, one: Subscription, tickers: dict[str, None] | None, command_id: int
) -> None:
    added = {
        ticker: None for ticker in tickers or () if one.tickers is None or ticker not in one.tickers
    }
    if tickers is None:
        one.tickers = None
    one.add(added)
    _acknowledge(session, one, command_id)
    _snapshots(session, one, added)


def _update(session: Session, params: dict[str, Any], command_id: int) -> None:
    one = _single(session, params)
    action = params.get("action")
    if not action:
        raise CommandError(Code.ACTION)
    if action not in ("add_markets", "delete_markets", "get_snapshot"):
        raise CommandError(Code.ACTION_UNSUPPORTED)
    tickers = _tickers(session, params)
    if tickers is None:
        raise CommandError(Code.MARKET)
    if action == "add_markets":
        _add(session, one, tickers, command_id)
    elif action == "delete_markets":
        one.remove(tickers)
        _acknowledge(session, one, command_id)
    elif one.channel is Channel.BOOK:
        for ticker in tickers:
            session.snapshot(one, ticker, command_id)
    else:
        raise CommandError(Code.ACTION_UNSUPPORTED)


def _add(session: Session, one: Subscription, tickers: dict[str, None], command_id: int) -> None:
    refused = session.venue.conditions.refuse_additions
    if refused is None:
        _extend(session, one, tickers, command_id)
        return
    session.venue.conditions.struck("refuse_additions")
    if refused != LOST:
        raise CommandError(Code.refusal(refused))


def _leave(session: Session, params: dict[str, Any], command_id: int) -> None:
    sids = params.get("sids")
    if not isinstance(sids, list) or not sids:
        raise CommandError(Code.SIDS)
    for sid in sids:
        one = session.subscriptions.pop(sid, None) if isinstance(sid, int) else None
        if one is None:
            raise CommandError(Code.UNKNOWN_SID)
        message: Json = {"id": command_id, "sid": one.sid, "type": "unsubscribed"}
        session.send(message | {"seq": one.last_seq()})


def _acknowledge(session: Session, one: Subscription, command_id: int) -> None:
    message: Json = {"id": command_id, "sid": one.sid, "type": "ok"}
    seq = one.next_seq()
    if seq is not None:
        message["seq"] = seq
    # Listed in alphabetical order, as recorded.
    message["msg"] = {} if one.quiet_ack else {"market_tickers": sorted(one.tickers or ())}
    session.send(message)


def _snapshots(session: Session, one: Subscription, tickers: dict[str, None] | None) -> None:
    if one.channel is Channel.BOOK:
        for ticker in tickers or ():
            session.snapshot(one, ticker)


def _single(session: Session, params: dict[str, Any]) -> Subscription:
    sid, sids = params.get("sid"), params.get("sids")
    if sid is None and not sids:
        raise CommandError(Code.SIDS)
    chosen = sids if isinstance(sids, list) else [sid]
    if len(chosen) != 1:
        raise CommandError(Code.ONE_SID)
    one = session.subscriptions.get(chosen[0]) if isinstance(chosen[0], int) else None
    if one is None:
        raise CommandError(Code.UNKNOWN_SID)
    return one


def _channel(name: object) -> Channel:
    try:
        return Channel(str(name))
    except ValueError:
        raise CommandError(Code.UNKNOWN_CHANNEL) from None


def _tickers(session: Session, params: dict[str, Any]) -> dict[str, None] | None:
    single, several = params.get("market_ticker"), params.get("market_tickers")
    if single is not None and several is not None:
        raise CommandError(Code.PARAMETER)
    names = several if several is not None else single
    if names is None or names == []:
        return None
    listed = names if isinstance(names, list) else [names]
    if not all(isinstance(name, str) for name in listed):
        raise CommandError(Code.PARAMETER)
    return {name: None for name in listed if name in session.venue.markets}


def _parsed(text: str) -> object:
    try:
        parsed: object = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise CommandError(Code.UNABLE) from None
    return parsed


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise CommandError(Code.UNABLE)
    return value
