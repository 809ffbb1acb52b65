"""The page that describes the API is drawn by scripts of its own address: others are refused."""

import re


def test_it_needs_nothing_inline(client):
    page = client.get("/api/docs")
    assert page.status_code == 200
    told = page.content.decode()
    assert "<style" not in told
    scripts = re.findall(r"<script([^>]*)>(.*?)</script>", told, re.DOTALL)
    assert scripts
    assert all("src=" in attributes and not inside for attributes, inside in scripts)
    drawn = client.get("/api/docs", {"script": ""})
    assert drawn["Content-Type"] == "application/javascript"
    assert "SwaggerUIBundle" in drawn.content.decode()
