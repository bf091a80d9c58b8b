"""Web frameworks and servers: Django with its admin, Flask behind gunicorn, datasette."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.applications.application import PORT

if TYPE_CHECKING:
    from tests.applications.application import Application
    from tests.applications.conftest import Assemble

pytestmark = pytest.mark.long

DJANGO = {
    "mysite/__init__.py": "",
    "mysite/manage.py": """
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
""",
    "mysite/settings.py": """
from pathlib import Path

DATA = Path("/tmp/mysite")
SECRET_KEY = "for tests"
DEBUG = True
ROOT_URLCONF = "mysite.urls"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "mysite.polls",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": DATA / "db.sqlite3"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
USE_TZ = True
TIME_ZONE = "Europe/Vienna"
""",
    "mysite/urls.py": """
from django.contrib import admin
from django.urls import path

from mysite.polls.views import count

urlpatterns = [path("admin/", admin.site.urls), path("polls/", count)]
""",
    "mysite/polls/__init__.py": "",
    "mysite/polls/models.py": """
from django.db import models


class Question(models.Model):
    text = models.CharField(max_length=200)
    published = models.DateTimeField(auto_now_add=True)
""",
    "mysite/polls/admin.py": """
from django.contrib import admin

from mysite.polls.models import Question

admin.site.register(Question)
""",
    "mysite/polls/views.py": """
from django.shortcuts import render

from mysite.polls.models import Question


def count(request):
    Question.objects.create(text="why?")
    return render(request, "polls/count.html", {"count": Question.objects.count()})
""",
    "mysite/polls/templates/polls/count.html": "<p>{{ count }} question{{ count|pluralize }}</p>\n",
    "mysite/polls/migrations/__init__.py": "",
    "mysite/polls/migrations/0001_initial.py": """
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [
        migrations.CreateModel(
            name="Question",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("text", models.CharField(max_length=200)),
                ("published", models.DateTimeField(auto_now_add=True)),
            ],
        )
    ]
""",
}
MIGRATE = 'mkdir /tmp/mysite; "$release" start migrate >/tmp/migrate.txt'


@pytest.fixture(scope="module")
def django(assemble: Assemble) -> Application:
    return assemble("mysite", dependencies=["django"], scripts={"mysite": "mysite.manage:main"}, files=DJANGO)


def test_django_migrates_and_collects_static_files(django: Application) -> None:
    told = django.shell(
        f'{MIGRATE}; cat /tmp/migrate.txt; "$release" start makemigrations --check;'
        '"$release" start collectstatic --noinput; ls /tmp/mysite/static/admin/css; "$release" start check'
    )
    assert "Applying auth.0012_alter_user_first_name_max_length... OK" in told
    assert "Applying polls.0001_initial... OK" in told
    assert "No changes detected" in told
    assert re.search(r"\d\d\d static files copied", told)
    assert "base.css" in told
    assert "System check identified no issues" in told


# With the reloader Django starts itself anew, as `sys.executable` with its own arguments.
@pytest.mark.parametrize("reloader", ["--noreload", ""])
def test_django_serves_its_admin(django: Application, reloader: str) -> None:
    login, style, polls = django.serve(
        f"start runserver {reloader} {PORT}",
        *("/admin/login/", "/static/admin/css/base.css", "/polls/"),
        prepare=MIGRATE,
    )
    assert "Django administration" in login
    assert "csrfmiddlewaretoken" in login
    assert "--primary:" in style
    assert polls == "<p>1 question</p>\n"


def test_django_makes_users_and_speaks_languages(django: Application) -> None:
    told = django.shell(f"""{MIGRATE}
export DJANGO_SUPERUSER_PASSWORD=secret
"$release" start createsuperuser --noinput --username ada --email ada@example.org
"$release" start shell -v 0 -c 'from django.contrib.auth import authenticate; print(authenticate(username="ada", password="secret"))'
"$release" start shell -v 0 -c 'from django.utils import translation; translation.activate("de"); print(translation.gettext("Yes"))'
cd /tmp; "$release" run django-admin startproject other; ls other/other
""")  # noqa: E501
    assert "Superuser created" in told
    assert "ada\nJa\n" in told
    assert "settings.py" in told


FLASK = {
    "shop/__init__.py": """
import os

from flask import Flask, jsonify, render_template

app = Flask(__name__)


@app.get("/")
def page():
    return render_template("page.html", name="tea")


@app.get("/worker")
def worker():
    return jsonify(pid=os.getpid(), parent=os.getppid())
""",
    "shop/templates/page.html": "<h1>{{ name|title }}</h1>\n",
    "shop/static/style.css": "h1 { color: green }\n",
}


def test_gunicorn_serves_flask(assemble: Assemble) -> None:
    shop = assemble(
        "shop",
        dependencies=["flask", "gunicorn"],
        scripts={"shop": "gunicorn.app.wsgiapp:run"},
        files=FLASK,
    )
    arguments = f"--bind 127.0.0.1:{PORT} --workers 2 --worker-tmp-dir /tmp shop:app"
    for kind in ("sync", "gthread"):
        page, style, worker = shop.serve(
            f"start {arguments} --worker-class {kind}", "/", "/static/style.css", "/worker"
        )
        assert page == "<h1>Tea</h1>"
        assert style == FLASK["shop/static/style.css"]
        assert json.loads(worker)["pid"] != json.loads(worker)["parent"]
    routes = shop.answer("run", "flask", "--app", "shop", "routes")
    assert "/worker" in routes
    (page,) = shop.serve(f"run flask --app shop run --port {PORT} --debug", "/")
    assert page == "<h1>Tea</h1>"


def test_datasette_answers_with_json(assemble: Assemble) -> None:
    data = assemble("data", dependencies=["datasette"], scripts={"data": "datasette.cli:cli"})
    create = (
        "import sqlite3; base = sqlite3.connect('/tmp/data.db');"
        "base.execute('create table dogs (id integer primary key, name text)');"
        "base.execute('insert into dogs (name) values (\\'Cleo\\')'); base.commit()"
    )
    rows, page, style = data.serve(
        f"start serve /tmp/data.db --port {PORT}",
        *("/data/dogs.json?_shape=array", "/data/dogs", "/-/static/app.css"),
        prepare=f'"$release" eval "{create}"',
    )
    assert json.loads(rows) == [{"id": 1, "name": "Cleo"}]
    assert "<h1" in page
    assert "Cleo" in page
    assert style
    plugins = json.loads(data.answer("start", "plugins", "--all"))
    assert "datasette.facets" in {each["name"] for each in plugins}
