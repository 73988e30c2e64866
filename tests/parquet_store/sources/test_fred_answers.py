"""Reading what FRED answers: both headers, the API's JSON, missing values, and answers that are none."""

import json
from datetime import date

import pytest

from parquet_store import load_universe
from parquet_store.sources import WrongAnswer, find_source

SPEC = load_universe()["DGS10"]
FRED = find_source("fred")


def parse(text: str):
    return FRED.parse(SPEC, text.encode())


def api(observations, count=None) -> str:
    return json.dumps({"count": len(observations) if count is None else count, "observations": observations})


@pytest.mark.parametrize("header", ["observation_date", "DATE"])
@pytest.mark.parametrize("missing", [".", ""])
def test_graph_csv(header, missing):
    parsed = parse(f"{header},DGS10\n2024-01-01,{missing}\n2024-01-02,3.95\n2024-01-03,-0.1\n")
    assert parsed.rows.rows() == [(date(2024, 1, 1), None), (date(2024, 1, 2), 3.95), (date(2024, 1, 3), -0.1)]
    assert parsed.rejected.is_empty()


def test_windows_line_ends_and_a_byte_order_mark():
    assert parse("\ufeffobservation_date,DGS10\r\n2024-01-02,3.95\r\n").rows.rows() == [(date(2024, 1, 2), 3.95)]


def test_api_json():
    parsed = parse(api([{"date": "2024-01-01", "value": "."}, {"date": "2024-01-02", "value": "3.95"}]))
    assert parsed.rows.rows() == [(date(2024, 1, 1), None), (date(2024, 1, 2), 3.95)]


def test_a_cell_that_is_no_number_is_set_aside_with_its_row():
    parsed = parse("observation_date,DGS10\n2024-01-01,n/a?\n2024-01-02,3.95\n2024-13-01,4\n2024-01-04,inf\n")
    assert parsed.rows.rows() == [(date(2024, 1, 2), 3.95)]
    assert parsed.rejected.rows() == [
        (date(2024, 1, 1), '{"date":"2024-01-01","value":"n/a?"}', "a value is not a number"),
        (None, '{"date":"2024-13-01","value":"4"}', "the date cannot be read"),
        (date(2024, 1, 4), '{"date":"2024-01-04","value":"inf"}', "a value is not a number"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the answer is empty"),
        ("  \n", "the answer is empty"),
        ("<html><body>captcha</body></html>", "a web page instead of data: '<html><body>captcha"),
        ("observation_date,DGS10\n2024-01-02,3.9", "ends in the middle of a line: half a body"),
        ("observation_date,DGS30\n2024-01-02,3.95\n", "the header is 'observation_date,DGS30' instead of"),
        ("period,DGS10\n2024-01-02,3.95\n", "the header is 'period,DGS10' instead of observation_date,DGS10 or DATE"),
        ("observation_date,DGS10\n2024-01-02,3.95,1\n", "different numbers of cells"),
        ("observation_date,DGS10\n2024-01-02\n", "different numbers of cells"),
        ("observation_date,DGS10\n" + "2024-01-02,x\n" * 9, "9 of 9 rows cannot be read; .* the format may have"),
        ('{"observations": [', "no whole JSON document: it has 18 bytes"),
        ('{"count": 1}', "JSON without FRED's observations"),
        (api([{"date": "2024-01-02", "value": "1"}], count=2), "announces 2 observations and has 1"),
        ('{"error_code": 400, "error_message": "Bad Request. No such series."}', "FRED says: Bad Request. No such"),
    ],
)
def test_answers_that_are_none(text, message):
    with pytest.raises(WrongAnswer, match=message):
        parse(text)


def test_bytes_that_are_no_text():
    with pytest.raises(WrongAnswer, match="not text"):
        FRED.parse(SPEC, b"\xff\xfe\x00")
