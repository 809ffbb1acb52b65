"""The pages of an import, from the file to the result; with plain forms."""

import pytest
from django.test import Client

from customers.imports import uploads
from customers.models import Customer, ImportJob
from tests.customers.importing import OPTIONS, check, upload, work

FILE = "Name,Phone\nAsha,9820012341\nMeera,12\n"
NEW = "/customers/imports/new"


def test_from_the_file_to_the_result(login):
    client = login("owner")
    assert client.get(NEW).status_code == 200
    answer = client.post(NEW, {"file": upload(FILE)})
    job = ImportJob.objects.get()
    page = f"/customers/imports/{job.pk}"
    assert answer["Location"] == f"{page}/columns"
    assert client.get(page)["Location"] == f"{page}/columns"
    body = client.get(f"{page}/columns").content.decode()
    assert '<option value="phone" selected>' in body
    assert "9820012341" in body
    answer = client.post(f"{page}/columns", {"column_0": "name", "column_1": "phone", **OPTIONS})
    assert answer["Location"] == page
    assert "every 2s" in client.get(page).content.decode()
    work(job)
    body = client.get(f"{page}/live", headers={"HX-Request": "true"}).content.decode()
    assert "every 2s" not in body
    assert "Import 1 line" in body
    assert "No such phone number" in body
    client.post(f"{page}/start")
    work(job)
    body = client.get(page).content.decode()
    assert "1 new customer." in body
    assert Customer.objects.get().first_name == "Asha"
    assert "people.csv" in client.get("/customers/imports").content.decode()
    assert client.post(f"{page}/cancel").status_code == 409


def test_what_is_wrong_stands_at_its_field(login):
    client = login("owner")
    answer = client.post(NEW, {"file": upload(b"")})
    assert (answer.status_code, "The file is empty." in answer.content.decode()) == (422, True)
    assert client.post(NEW).status_code == 422
    client.post(NEW, {"file": upload(FILE)})
    page = f"/customers/imports/{ImportJob.objects.get().pk}"
    answer = client.post(f"{page}/columns", {"column_0": "name", "column_1": "name", **OPTIONS})
    assert answer.status_code == 422
    assert "Another column is already taken for this." in answer.content.decode()
    assert ImportJob.objects.get().state == "uploaded"


def test_cancelling_before_the_start(login, chain):
    job = check(chain.actor(chain.owner), FILE)
    client = login("owner")
    assert client.post(f"/customers/imports/{job.pk}/cancel").status_code == 302
    assert "Nothing was changed." in client.get(f"/customers/imports/{job.pk}").content.decode()


def test_a_gigabyte_is_refused_by_its_announced_length_and_not_read(login):
    class Unread:
        def read(self, *_size):
            raise AssertionError("the body was read")

        readline = read

    answer = login("owner").generic(
        "POST",
        NEW,
        b"",
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(1024**3 + 2**20),
        **{"wsgi.input": Unread()},
    )
    assert answer.status_code == 422
    assert "larger than 1 GB. Cut it in two." in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_a_file_that_grows_beyond_the_limit_is_dropped_on_the_way(login, monkeypatch):
    monkeypatch.setattr(uploads, "MAX_BYTES", 10)
    answer = login("owner").post(NEW, {"file": upload(FILE)})
    assert answer.status_code == 422
    assert "larger than 1 GB. Cut it in two." in answer.content.decode()
    assert not ImportJob.objects.exists()


def test_an_upload_needs_the_token_of_its_form(chain):
    client = Client(enforce_csrf_checks=True)
    client.force_login(chain.owner.user)
    assert client.post(NEW, {"file": upload(FILE)}).status_code == 403
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("path", ["", "/columns", "/live", "/errors"])
def test_another_branchs_import_is_not_found(login, chain, path):
    job = check(chain.actor(chain.owner), FILE)
    assert login("manager").get(f"/customers/imports/{job.pk}{path}").status_code == 404


@pytest.mark.parametrize("path", ["/start", "/cancel"])
def test_another_branchs_import_is_not_touched(login, chain, path):
    job = check(chain.actor(chain.owner), FILE)
    assert login("manager").post(f"/customers/imports/{job.pk}{path}").status_code == 404
    assert ImportJob.objects.get().state == "checked"


def test_a_receptionist_does_not_import(login):
    client = login("receptionist")
    assert client.get(NEW).status_code == 403
    assert client.post(NEW, {"file": upload(FILE)}).status_code == 403
    assert "/customers/imports" not in client.get("/customers").content.decode()
