"""Every spelling of a file, and every broken one: a clear sentence, and nothing half kept."""

import io
import zipfile

import pytest

from customers.imports import xlsx_reading
from customers.models import Customer, ImportJob, ImportPart, ImportRow
from marketing.core.errors import ValidationFailed
from tests.customers.importing import check, send, take, upload, xlsx, zipped

TWO = "Name,Phone\nAsha Sharma,98200 12341\nमीरा 🌸 जोशी,98200 12351\n"


@pytest.fixture
def owner(chain):
    return chain.actor(chain.owner)


def names():
    return sorted(Customer.objects.values_list("first_name", "last_name"))


EXPECTED = [("Asha", "Sharma"), ("मीरा", "🌸 जोशी")]


@pytest.mark.parametrize(
    "content",
    [
        TWO.encode(),
        TWO.encode("utf-8-sig"),
        TWO.encode("utf-16"),
        TWO.encode("utf-16-le"),
        b"\xfe\xff" + TWO.encode("utf-16-be"),
        TWO.encode("utf-32"),
        TWO.encode("utf-32-be"),
        TWO.replace(",", ";").encode(),
        TWO.replace(",", "\t").encode(),
        TWO.replace(",", "|").encode(),
        TWO.replace("\n", "\r\n").encode(),
        TWO.replace("\n", "\r").encode(),
        TWO.encode() + b"\n\n , \n",
    ],
    ids=[
        "plain",
        "bom",
        "utf16",
        "utf16le",
        "utf16be",
        "utf32",
        "utf32be",
        "semicolon",
        "tab",
        "pipe",
        "crlf",
        "cr",
        "blank",
    ],
)
def test_every_spelling_of_csv_is_read(owner, content):
    job = take(owner, content)
    assert (job.state, job.result["created"]) == ("done", 2)
    assert names() == EXPECTED


def test_what_is_not_utf8_is_windows_own(owner):
    take(owner, "Name,Phone\nRené Müller,9820012341\n".encode("cp1252"))
    assert names() == [("René", "Müller")]


def test_an_excel_file_is_read(owner):
    take(
        owner,
        xlsx(["Name", "Phone"], ["Asha Sharma", 919820012341], ["मीरा 🌸 जोशी", "9820012351"]),
    )
    assert names() == EXPECTED
    assert set(Customer.objects.values_list("phone", flat=True)) == {
        "+919820012341",
        "+919820012351",
    }


def test_quotes_may_span_lines_and_lines_are_counted_right(owner):
    job = check(owner, 'Name,Phone,Tags\n"Asha\nSharma",9820012341,"a, b"\nMeera,12,\n')
    assert job.counts == {"new": 1, "invalid": 1}
    assert ImportRow.objects.get(outcome="invalid").line == 4
    assert ImportRow.objects.get(outcome="new").first_name == "Asha"


def sheet(rows, *, styles="", shared="", more=None):
    workbook = (
        '<workbook xmlns="x" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/'
        'relationships"><sheets><sheet name="A" sheetId="1" r:id="r1"/></sheets></workbook>'
    )
    members = {
        "xl/workbook.xml": workbook,
        "xl/_rels/workbook.xml.rels": (
            '<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>'
        ),
        "xl/worksheets/sheet1.xml": f"<worksheet><sheetData>{rows}</sheetData></worksheet>",
    }
    if styles:
        members["xl/styles.xml"] = styles
    if shared:
        members["xl/sharedStrings.xml"] = shared
    return zipped(**members, **(more or {}))


def read_sheet(content):
    return list(xlsx_reading.read_rows(io.BytesIO(content)))


def test_dates_shared_texts_and_gaps_of_a_workbook():
    rows = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>x</t></is></c></row>'
        '<row r="4"><c r="A4" s="1"><v>32874</v></c><c><v>9.19820012341E11</v></c>'
        '<c t="b"><v>1</v></c><c><v>1.5</v></c><c t="str"><f>1+1</f><v>two</v></c></row>'
    )
    styles = '<styleSheet><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs></styleSheet>'
    shared = "<sst><si><r><t>Na</t></r><r><t>me</t></r><rPh><t>say</t></rPh></si></sst>"
    assert read_sheet(sheet(rows, styles=styles, shared=shared)) == [
        (1, ["Name", "", "x"]),
        (4, ["1990-01-01", "919820012341", "yes", "1.5", "two"]),
    ]


def refused(owner, content, name="people.csv"):
    with pytest.raises(ValidationFailed) as refusal:
        send(owner, content, name)
    assert not ImportJob.objects.exists()
    assert not ImportPart.objects.exists()
    return refusal.value.fields["file"][0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"Name,Phone\n", "no rows"),
        (b"Name,Phone,phone\na,b,c\n", "more than once: Phone, phone"),
        (",".join(f"c{n}" for n in range(201)).encode() + b"\nx\n", "201 columns"),
        (b'Name,Phone\n"Asha,9820012341\nMeera,1\n', "line 2 is never closed"),
        (b"\xd0\xcf\x11\xe0 old", "old or protected"),
        (b"PK\x03\x04 not a zip", "not a readable Excel"),
        (zipped(a="b"), "not a readable Excel"),
        ("Name,Phone\nAsha,1\n".encode("utf-16")[:-1], "damaged"),
        (b"Name\n" + b"x" * 1_000_001 + b"\n", "too long"),
        (b"Na\0me,Phone\nAsha,9820012341\n", "first line holds characters that are not text"),
        (b'Name,Phone\n"' + b"x" * 131_073 + b'",1\n', "line 2 holds more than 131,072"),
    ],
    ids=[
        "nothing",
        "blank",
        "headers",
        "twice",
        "wide",
        "open",
        "xls",
        "fake",
        "empty-zip",
        "half",
        "endless",
        "nul",
        "huge-cell",
    ],
)
def test_a_file_that_cannot_be_imported_is_refused_whole(owner, content, words):
    assert words in refused(owner, content)


def test_two_hundred_columns_are_read(owner):
    headers = ["Name", "Phone", *(f"c{n}" for n in range(198))]
    line = ["Asha", "9820012341", *("x" for _ in range(198))]
    assert take(owner, ",".join(headers) + "\n" + ",".join(line)).result["created"] == 1


def test_a_zip_bomb_is_refused_before_it_is_unpacked(owner):
    bomb = sheet("<row/>", more={"xl/media/zeros": b"\0" * (11 * 1024**2)})
    assert "far too large" in refused(owner, bomb)
    lying = sheet("<row r='1'><c><v>1</v></c></row>")
    book = zipfile.ZipFile(io.BytesIO(lying))
    book.infolist()[0].file_size = 3 * 1024**3
    with pytest.raises(ValueError, match="far too large"):
        xlsx_reading.refuse_bombs(book)


def test_entities_are_not_expanded(owner):
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><worksheet>&b;</worksheet>'
    whole = sheet("")
    held = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(held, "w") as book:
        for member in source.namelist():
            content = bomb if "sheet1" in member else source.read(member)
            book.writestr(member, content)
    assert "not a readable Excel" in refused(owner, held.getvalue())


def test_too_many_rows_fail_the_dry_run_and_change_nothing(owner, monkeypatch):
    monkeypatch.setattr("customers.imports.reading.MAX_ROWS", 1)
    job = check(owner, TWO)
    assert job.state == "failed"
    assert "more than 1 rows" in job.error
    assert not Customer.objects.exists()


def test_a_quote_that_stays_open_far_below_fails_the_dry_run(owner):
    lines = "".join(f"Asha {n},98{n:07}1\n" for n in range(20_000))
    job = check(owner, f'Name,Phone\n{lines}"Meera,9820012341\nZoya,9820012351\n')
    assert job.state == "failed"
    assert "line 20002" in job.error


def test_a_file_above_a_gigabyte_is_refused(owner):
    file = upload(TWO)
    file.size = 1024**3 + 1
    from customers.imports import services

    with pytest.raises(ValidationFailed) as refusal:
        services.receive_import(actor=owner, file=file)
    assert "1 GB" in refusal.value.fields["file"][0]
    assert not ImportPart.objects.exists()


def test_parts_are_read_as_one_file(owner, monkeypatch):
    monkeypatch.setattr("customers.imports.storage.PART_BYTES", 7)
    take(owner, TWO)
    assert names() == EXPECTED
    assert ImportPart.objects.count() > 5


def test_utf16_of_an_indian_script_needs_no_mark(owner):
    job = take(owner, "नाम,फ़ोन\nमीरा जोशी,९८२००१२३४१\nऊषा,९८२००१२३५१\n".encode("utf-16-le"))
    assert (job.encoding, job.result["created"]) == ("utf-16-le", 2)
    assert names() == [("ऊषा", ""), ("मीरा", "जोशी")]


HEAD_ROW = '<row r="1"><c t="str"><v>Name</v></c><c t="str"><v>Phone</v></c></row>'


def person(name, phone, number="", kind="str"):
    at = f' r="{number}"' if number else ""
    return f'<row{at}><c t="{kind}"><v>{name}</v></c><c t="str"><v>{phone}</v></c></row>'


@pytest.mark.parametrize(
    "row",
    [
        '<row r="2"><c s="x" t="str"><v>Asha</v></c></row>',
        '<row r="x"><c t="str"><v>Asha</v></c></row>',
        f'<row r="{"9" * 20}"><c t="str"><v>Asha</v></c></row>',
        '<row r="-1"><c t="str"><v>Asha</v></c></row>',
        '<row r="2"><c t="s"><v>-1</v></c></row>',
        '<row r="2"><c t="s"><v>7</v></c></row>',
        '<row r="2"><c><v>Asha</v></c></row>',
    ],
    ids=["style", "row", "far", "below", "before-texts", "beyond-texts", "no-number"],
)
def test_a_damaged_row_is_refused_at_its_place(owner, row):
    assert "damaged in or after row " in refused(owner, sheet(HEAD_ROW + row))


def test_a_damaged_zip_is_refused(owner):
    rows = "".join(person(f"Asha {n}", f"98{n:07}1") for n in range(2_000))
    whole = bytearray(sheet(HEAD_ROW + rows))
    begins = whole.index(b"sheet1.xml") + len("sheet1.xml")
    whole[begins] = 0xFF  # no kind of block that deflate has
    assert "not a readable Excel" in refused(owner, bytes(whole))


def test_damage_far_below_fails_the_dry_run_and_changes_nothing(owner):
    rows = "".join(person(f"Asha {n}", f"98{n:07}1") for n in range(5_100))
    job = check(owner, sheet(HEAD_ROW + rows + '<row r="x"/>'))
    assert (job.state, job.error) == ("failed", "The Excel file is damaged in or after row 5101.")
    assert not Customer.objects.exists()


def test_rows_whose_numbers_come_again_are_read(owner, monkeypatch):
    monkeypatch.setattr("customers.imports.worker.CHUNK", 1)
    numbers = [2, 2, "", 3, 9, 1]
    rows = [person(f"A{at}", f"98{at:07}1", number) for at, number in enumerate(numbers)]
    job = take(owner, sheet(HEAD_ROW + "".join(rows)))
    assert (job.checked_rows, job.result["created"]) == (6, 6)
    assert list(ImportRow.objects.order_by("line").values_list("line", flat=True)) == [
        2, 3, 4, 5, 9, 10,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "value"), [("e", "#REF!"), ("e", "#क्षेत्र!"), ("n", "NaN"), ("n", "INF")]
)
def test_a_failed_formula_is_nobodys_name(owner, kind, value):
    rows = person(value, "9820012341", kind=kind) + person("Asha", "9820012351")
    job = take(owner, sheet(HEAD_ROW + rows))
    assert job.reasons == {"excel_error": 1}
    assert names() == [("Asha", "")]


def test_a_failed_formula_in_a_column_nobody_took_matters_to_nobody(owner):
    assert take(owner, "Name,Phone,Sum\nAsha,9820012341,#N/A\n").result["created"] == 1
