"""A Python app that knows nothing of Clerk. The gateway before it says who is signed in."""

import sys
from wsgiref.simple_server import make_server


def app(environ, start_response):
    user = environ.get("HTTP_X_CLERK_USER_ID")
    role = environ.get("HTTP_X_CLERK_ORG_ROLE") or "no role"
    if user:
        text = f"Hello, {user} ({role}), at {environ['PATH_INFO']}\n"
    else:
        text = "Hello, whoever you are\n"
    start_response("200 OK", [("Content-Type", "text/plain; charset=utf-8")])
    return [text.encode()]


if __name__ == "__main__":
    # Only the gateway may reach it: whoever else does can name themselves in X-Clerk-User-Id.
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 3000
    make_server("127.0.0.1", port, app).serve_forever()
