"""The dependencies' page is a matrix of instances and environments, and marks crosstalk."""

from tests.service.bindings.records import QUEUE, a_binding

SANDBOX = "https://sandbox.pay.example.com"


def test_crosstalk_is_marked_and_comes_first(given, open_as):
    given.the_usual()
    payments = a_binding(SANDBOX, dependency="payments", access="read_only")
    given.bindings(a_binding(access="read_only"), payments)
    given.bindings(a_binding(), environment="production")

    page = open_as("viewer", "#/dependencies")
    rows = [" ".join(text.split()) for text in page.locator("tbody tr").all_inner_texts()]

    assert rows == [
        f"{QUEUE} crosstalk azul reads orders azul writes orders",
        f"{SANDBOX} azul reads payments",
    ]
    page.get_by_role("link", name="Crosstalk").click()
    page.get_by_text(SANDBOX).wait_for(state="detached")
    assert page.locator("tbody tr").count() == 1


def test_a_binding_of_a_system_that_the_caller_may_not_read_comes_last(page, open_as):
    uses = [
        {"system": system, "environment": environment, "dependency": dependency, "access": access, "exclusive": False}
        for system, environment, dependency, access in (
            ("azul", "development", "orders", "read_only"),
            ("azul", "production", "orders", "read_only"),
            (None, None, None, "read_write"),
        )
    ]
    used = {"instance": QUEUE, "crosstalk": True, "bindings": uses, "more_bindings": False}
    page.route("**/v1/crosstalk*", lambda route: route.fulfill(json={"items": [used], "next": None}))

    open_as("viewer", "#/dependencies")

    assert page.locator("thead th").all_inner_texts()[2:] == ["development", "production", "elsewhere"]
    assert page.locator("tbody td").last.inner_text() == "another system writes"


def test_the_filter_finds_an_instance_in_any_case(given, open_as):
    given.the_usual()
    given.bindings(a_binding(QUEUE.replace("orders", "Orders")), a_binding(SANDBOX, dependency="payments"))

    page = open_as("viewer", "#/dependencies")
    page.locator("input[type=search]").fill("Orders")
    page.get_by_text(SANDBOX).wait_for(state="detached")

    assert page.locator("tbody tr").count() == 1
    page.locator("input[type=search]").fill("nothing")
    page.get_by_text("No instance or system matches.").wait_for()


def test_without_bindings_the_page_says_so(given, open_as):
    given.the_usual()

    open_as("viewer", "#/dependencies?system=azul").get_by_text("No environment has declared a dependency.").wait_for()
