"""The gateway: opening, requests, errors, and what is asked of the gateway itself."""

import copy
import json
import logging
import pickle
import urllib.request

import pytest
import sluice
from conftest import CHAT, KEY, configuration, hello, with_consumers

# --- opening ---------------------------------------------------------------------------------------------------------------


def test_a_configuration_is_a_mapping_a_path_or_json(tmp_path, opens):
    file = tmp_path / "gateway.json"
    file.write_text(json.dumps(configuration()))
    for config in (configuration(), file, str(file), json.dumps(configuration())):
        assert opens(config).request(CHAT, json=hello()).status == 200


def test_every_mistake_of_a_configuration_is_told_at_once():
    wrong = configuration()
    wrong["upstreams"][0]["provder"] = "simulator"
    wrong["routes"][0]["upstreams"] = [{"name": "nobody"}]
    for judged in (sluice.Gateway, sluice.check):
        with pytest.raises(sluice.ConfigurationError) as caught:
            judged(wrong)
        assert caught.value.code == "invalid_configuration"
        assert "/upstreams/0/provder" in caught.value.message and "nobody" in caught.value.message
        assert caught.value.status is None


def test_a_sound_configuration_is_checked_without_its_secrets():
    document = configuration()
    document["upstreams"].append({"name": "openai", "provider": "openai", "credential": {"env": "SLUICE_TEST_NOT_SET"}})
    sluice.check(document)
    with pytest.raises(sluice.ConfigurationError) as caught:
        sluice.Gateway(document)
    assert caught.value.code == "secret_missing"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(sluice.ConfigurationError) as caught:
        sluice.Gateway(tmp_path / "absent.json")
    assert caught.value.code == "file_unreadable" and "absent.json" in str(caught.value)


# --- requests --------------------------------------------------------------------------------------------------------------


def test_a_whole_answer_has_status_headers_body_and_outcome(gateway):
    answer = gateway.request(CHAT, json=hello())
    assert (answer.status, answer.ok, answer.error) == (200, True, None)
    assert answer.headers["Content-Type"].startswith("application/json") and "content-type" in answer.headers
    assert answer.json()["choices"][0]["message"]["content"] == "Hello there, stranger."
    outcome = answer.outcome
    assert (outcome.ending, outcome.route, outcome.requested_model) == (sluice.Ending.COMPLETED, "quick", "smart")
    assert outcome.usage.output_tokens and outcome.usage.estimated is False
    assert [(attempt.upstream, attempt.status, attempt.skipped) for attempt in outcome.attempts] == [("quick", 200, False)]
    assert outcome.total_ns > 0 and outcome.id


def test_failover_stands_in_the_ledger_of_attempts(gateway):
    outcome = gateway.request(CHAT, json=hello("sturdy")).outcome
    assert [(attempt.upstream, attempt.status) for attempt in outcome.attempts][-1] == ("quick", 200)
    assert outcome.attempts[0].upstream == "down" and outcome.attempts[0].status == 503


def test_a_refusal_of_the_gateway_carries_code_origin_status_and_answer(gateway):
    with pytest.raises(sluice.RequestError) as caught:
        gateway.request(CHAT, json=hello("no-such-model"))
    error = caught.value
    assert (error.code, error.origin, error.status) == ("route_not_found", sluice.Origin.CALLER, 404)
    assert "no-such-model" in error.message
    assert error.response.json()["error"]["code"] == "route_not_found"
    assert error.response.outcome.ending is sluice.Ending.REFUSED


def test_an_upstream_that_is_down_is_an_upstream_error(gateway):
    with pytest.raises(sluice.UpstreamError) as caught:
        gateway.request(CHAT, json=hello("down"))
    assert caught.value.origin is sluice.Origin.UPSTREAM and caught.value.status == 503
    assert len(caught.value.response.outcome.attempts) == 2


def test_unchecked_an_error_is_an_answer(gateway):
    answer = gateway.request(CHAT, json=hello("no-such-model"), check=False)
    assert (answer.status, answer.ok) == (404, False)
    assert answer.error.code == "route_not_found"
    with pytest.raises(sluice.RequestError):
        answer.raise_for_status()


def test_a_deadline_ends_what_takes_too_long(gateway):
    with pytest.raises(sluice.Error) as caught:
        gateway.request(CHAT, json=hello("never"), deadline=0.05)
    assert caught.value.code == "total_timeout" and caught.value.status == 504


def test_what_cannot_be_sent_is_refused_before_anything_is():
    with sluice.Gateway(configuration()) as gateway:
        with pytest.raises(sluice.RequestError) as caught:
            gateway.request(CHAT, json=hello(), headers={"x-a": "b\r\nc: d"})
        assert caught.value.code == "invalid_header"
        with pytest.raises(TypeError):
            gateway.request(CHAT, json=hello(), body=b"{}")
        assert gateway.statistics().exchanges_started == 0


# ABI-16
def test_where_consumers_are_configured_one_has_to_be_named(opens):
    gateway = opens(with_consumers(configuration()))
    with pytest.raises(sluice.RequestError) as caught:
        gateway.request(CHAT, json=hello())
    assert (caught.value.code, caught.value.status) == ("unauthorized", 401)
    assert gateway.request(CHAT, json=hello(), consumer="app").outcome.consumer == "app"
    by_key = gateway.request(CHAT, json=hello(), headers=[("authorization", f"Bearer {KEY}")])
    assert by_key.outcome.consumer == "app"
    named = gateway.request(CHAT, json=hello(), headers={"authorization": "Bearer placeholder"}, consumer="app")
    assert named.status == 200


# --- the gateway itself ----------------------------------------------------------------------------------------------------


def test_explaining_sends_nothing(gateway):
    explanation = gateway.explain(CHAT, json=hello())
    assert explanation.status == 200 and "quick" in explanation.text and isinstance(explanation.details, dict)
    assert gateway.explain(CHAT, json=hello("no-such-model")).status == 404
    assert gateway.statistics().exchanges_started == 0


def test_statistics_count(gateway):
    gateway.request(CHAT, json=hello())
    gateway.request(CHAT, json=hello("no-such-model"), check=False)
    counted = gateway.statistics()
    assert (counted.exchanges_started, counted.completed, counted.refused, counted.exchanges_open) == (2, 1, 1, 0)
    assert counted.engines == 2


def test_a_reload_changes_what_is_in_force_and_a_mistake_does_not(gateway):
    other = configuration()
    other["routes"] = [{"name": "all", "upstreams": [{"name": "quick"}]}]
    gateway.reload(other)
    assert [route["name"] for route in gateway.dump()["routes"]] == ["all"]
    with pytest.raises(sluice.ConfigurationError):
        gateway.reload({"version": 1})
    assert gateway.request(CHAT, json=hello("anything")).outcome.route == "all"


def test_the_schema_is_that_of_the_configuration():
    assert "upstreams" in json.dumps(sluice.config_schema())


def test_a_closed_gateway_says_so_and_closes_again(gateway):
    gateway.close()
    gateway.close()
    assert gateway.closed
    for asked in (lambda: gateway.request(CHAT, json=hello()), gateway.statistics, gateway.dump):
        with pytest.raises(sluice.ClosedError) as caught:
            asked()
        assert caught.value.code == "closed"


def test_handles_are_neither_pickled_nor_copied(gateway):
    stream = gateway.stream(CHAT, json=hello())
    for handle in (gateway, stream, gateway._native, gateway._thread_reader or gateway._reader(False)._queue):
        with pytest.raises(TypeError):
            pickle.dumps(handle)
        with pytest.raises(TypeError):
            copy.copy(handle)


def test_the_listener_serves_the_same_gateway(opens):
    gateway = opens(configuration(listen=[{"address": "127.0.0.1:0"}]))
    with gateway.serve() as server:
        (address,) = server.addresses
        asked = urllib.request.Request(f"http://{address}{CHAT}", json.dumps(hello()).encode(), {"content-type": "application/json"})
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=60) as answer:
            assert json.load(answer)["choices"][0]["message"]["content"] == "Hello there, stranger."
        server.drain(5)
    with pytest.raises(OSError):
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{address}/healthz", timeout=60)


def test_lines_of_the_log_reach_logging(opens, caplog):
    caplog.set_level(logging.DEBUG, "sluice")
    document = configuration(plugins=[{"name": "request_log"}])
    gateway = opens(document, logger=logging.getLogger("sluice"))
    gateway.request(CHAT, json=hello())
    gateway.close()
    assert [record for record in caplog.records if record.name == "sluice" and "quick" in record.getMessage()]


def test_a_gateway_without_threads_is_moved_by_who_waits(opens):
    gateway = opens(threads=0)
    assert gateway.request(CHAT, json=hello()).status == 200
    assert "".join(event.text for event in gateway.stream(CHAT, json=hello(stream=True))) == "Hello there, stranger."
    assert gateway.statistics().engines == 1


def test_the_version_is_that_of_the_library():
    assert sluice.__version__.count(".") == 2
