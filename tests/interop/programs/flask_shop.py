"""A Flask application, asked through its test client: templates, sessions, errors with and without a handler."""
from flask import Flask, abort, jsonify, render_template_string, request, session

app = Flask("shop")
app.secret_key = "of no use"
PAGE = "<ul>{% for name, count in cart|dictsort %}<li>{{ name }}: {{ count }}</li>{% endfor %}</ul>"


class Empty(Exception):
    pass


@app.route("/add/<name>", methods=["POST"])
def add(name):
    cart = dict(session.get("cart", {}))
    cart[name] = cart.get(name, 0) + int(request.form.get("pieces", 1))
    session["cart"] = cart
    return jsonify(cart)


@app.route("/")
def show():
    return render_template_string(PAGE, cart=session.get("cart", {}))


@app.route("/pay")
def pay():
    if not session.get("cart"):
        raise Empty("nothing to pay")
    return {"sum": sum(session.pop("cart").values())}


@app.errorhandler(Empty)
def refuse(error):
    return str(error), 402


@app.route("/secret")
def secret():
    abort(403)


def main():
    seen = []
    with app.test_client() as client:
        for pieces in range(1, 6):
            seen.append(client.post("/add/tea", data={"pieces": pieces}).json["tea"])
            seen.append(len(client.get("/").text))
        seen += [client.get("/pay").json["sum"], client.get("/pay").status_code, client.get("/secret").status_code,
                 client.get("/nowhere").status_code]
    print(seen)


main()
