"""Admission of connections: refused networks, shares of one address, and who makes room."""

from wyoming_common.errors import Busy, Refused
from wyoming_common.net.access import Access
from wyoming_common.net.connections import Connections
from wyoming_common.net.limits import Limits

HOME = "192.168.1.5"
STRANGER = "192.168.1.66"


class Client:
    """A connection that the service has waited for since `since`, None while it works for it."""

    def __init__(self, since: float | None, *, silent: bool = False) -> None:
        self.waiting_since = since
        self.silent = silent
        self.hung_up = False
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


def connections(now: float = 100.0, **limits: int) -> Connections:
    return Connections(Limits(**limits), Access(), lambda: now)


def test_an_address_outside_the_networks_is_refused_and_not_counted() -> None:
    service = connections()

    assert isinstance(service.admit(Client(0), "203.0.113.9"), Refused)
    assert len(service) == 0


def test_a_client_that_is_being_served_never_makes_room() -> None:
    service = connections(connections=2)
    served = [Client(None), Client(None)]
    for client in served:
        assert service.admit(client, HOME) is None

    assert isinstance(service.admit(Client(100.0), STRANGER), Busy)
    assert not any(client.dropped for client in served)


def test_a_silent_client_makes_room_before_one_that_asked_something_longer_ago() -> None:
    service = connections(connections=2)
    silent, asked = Client(99.0, silent=True), Client(10.0)
    for client in (asked, silent):
        service.admit(client, HOME)

    assert service.admit(Client(100.0), HOME) is None
    assert (silent.dropped, asked.dropped) == (True, False)
    assert len(service) == 2


def test_a_client_that_came_just_now_does_not_make_room() -> None:
    service = connections(connections=1)
    fresh = Client(99.9, silent=True)
    service.admit(fresh, HOME)

    assert isinstance(service.admit(Client(100.0), HOME), Busy)
    assert not fresh.dropped


def test_past_its_share_an_address_makes_room_among_its_own() -> None:
    service = connections(connections=10, connections_per_client=2)
    other, *theirs = [Client(0.0), Client(50.0), Client(60.0)]
    service.admit(other, HOME)
    for client in theirs:
        service.admit(client, STRANGER)

    assert service.admit(Client(100.0), STRANGER) is None
    assert [client.dropped for client in (other, *theirs)] == [False, True, False]


def test_the_address_with_the_most_connections_makes_room_for_others() -> None:
    service = connections(connections=3, connections_per_client=2)
    home, *theirs = [Client(0.0), Client(50.0), Client(60.0)]
    service.admit(home, HOME)
    for client in theirs:
        service.admit(client, STRANGER)

    assert service.admit(Client(100.0), "192.168.1.7") is None
    assert [client.dropped for client in (home, *theirs)] == [False, True, False]


def test_all_addresses_of_loopback_together_leave_a_quarter_to_others() -> None:
    service = connections(connections=4)
    for peer in ("127.0.0.1", "::1", "127.0.0.2"):
        assert service.admit(Client(None), peer) is None

    assert isinstance(service.admit(Client(None), "127.0.0.3"), Busy)
    assert service.admit(Client(None), HOME) is None


def test_two_addresses_that_are_served_without_end_keep_no_other_out() -> None:
    service = connections(connections=8, connections_per_client=4)
    theirs = [Client(None) for _ in range(8)]
    for number, client in enumerate(theirs):
        assert service.admit(client, f"192.168.1.{66 + number % 2}") is None

    assert service.admit(Client(100.0), HOME) is None
    assert [client.dropped for client in theirs] == [False] * 7 + [True]
    assert len(service) == 8


def test_an_address_with_many_connections_takes_no_place_from_others() -> None:
    service = connections(connections=8, connections_per_client=6)
    for number in range(8):
        assert service.admit(Client(None), STRANGER if number < 3 else HOME) is None

    assert isinstance(service.admit(Client(100.0), STRANGER), Busy)


def test_a_client_that_has_left_in_the_middle_makes_room_first() -> None:
    service = connections(connections=2)
    served, gone = Client(None), Client(None)
    for client in (served, gone):
        service.admit(client, HOME)
    gone.hung_up = True

    assert service.admit(Client(100.0), HOME) is None
    assert (served.dropped, gone.dropped) == (False, True)
