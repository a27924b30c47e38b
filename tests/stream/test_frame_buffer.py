"""The hand-over between two threads: order, waiting, newest wins, and ending."""

from __future__ import annotations

import threading

import pytest

from stream.frame_buffer import FrameBuffer


def test_items_come_out_in_the_order_they_went_in() -> None:
    buffer: FrameBuffer[int] = FrameBuffer(3, "wait")
    for item in (1, 2, 3):
        assert buffer.put(item)
    buffer.end()
    assert list(buffer) == [1, 2, 3]


def test_newest_wins_and_what_it_replaced_is_counted() -> None:
    superseded: list[int] = []
    buffer: FrameBuffer[int] = FrameBuffer(1, "newest", superseded.append)
    for item in (1, 2, 3):
        buffer.put(item)
    buffer.end()
    assert list(buffer) == [3]
    assert superseded == [1, 2]


def test_a_full_buffer_makes_the_putting_side_wait_until_one_is_taken() -> None:
    buffer: FrameBuffer[int] = FrameBuffer(1, "wait")
    buffer.put(1)
    second_is_in = threading.Event()

    def put_second() -> None:
        buffer.put(2)
        second_is_in.set()
        buffer.end()

    thread = threading.Thread(target=put_second)
    thread.start()
    items = iter(buffer)
    # Nothing was taken yet, so the second can only be waiting, however late its thread begins.
    assert not second_is_in.is_set()
    assert next(items) == 1
    assert second_is_in.wait(10)
    assert list(items) == [2]
    thread.join(10)


def test_abort_wakes_a_waiting_putter_and_says_that_the_item_was_not_taken() -> None:
    buffer: FrameBuffer[int] = FrameBuffer(1, "wait")
    buffer.put(1)
    taken: list[bool] = []
    thread = threading.Thread(target=lambda: taken.append(buffer.put(2)))
    thread.start()
    assert buffer.abort() == [1]
    thread.join(10)
    assert taken == [False]


def test_abort_wakes_a_waiting_taker() -> None:
    buffer: FrameBuffer[int] = FrameBuffer(1, "wait")
    taken: list[int] = []
    thread = threading.Thread(target=lambda: taken.extend(buffer))
    thread.start()
    buffer.abort()
    thread.join(10)
    assert not thread.is_alive()
    assert taken == []


def test_a_buffer_holds_at_least_one() -> None:
    with pytest.raises(ValueError, match="capacity: expected 1 or more, got 0"):
        FrameBuffer(0, "wait")


def test_taking_waits_no_longer_than_it_is_told() -> None:
    buffer: FrameBuffer[int] = FrameBuffer(1, "wait")
    over: list[bool] = []
    assert buffer.take(timeout_seconds=0) is None
    over.append(buffer.is_over)
    buffer.put(1)
    buffer.end()
    over.append(buffer.is_over)  # one is held
    assert buffer.take(timeout_seconds=0) == 1
    over.append(buffer.is_over)
    assert buffer.take() is None
    assert over == [False, False, True]


def test_what_is_held_is_taken_at_once_and_makes_room() -> None:
    buffer: FrameBuffer[int] = FrameBuffer(2, "wait")
    buffer.put(1)
    buffer.put(2)
    assert buffer.take_held() == [1, 2]
    assert buffer.take_held() == []
    assert buffer.put(3)
