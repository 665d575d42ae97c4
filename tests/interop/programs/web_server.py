"""The standard library's web server under load: a thread for each connection, clients in threads, errors among the answers."""
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

CLIENTS, REQUESTS = 4, 8


class Handler(BaseHTTPRequestHandler):
    def page(self):
        if self.path.endswith("/7"):
            raise KeyError(self.path)
        return ("<p>" + self.path + "</p>").encode()

    def do_GET(self):
        try:
            text, status = self.page(), 200
        except KeyError:
            text, status = b"none", 404
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *arguments):
        pass


def client(port, number, answers):
    for request in range(REQUESTS):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/%d/%d" % (port, number, request), timeout=20) as answer:
                answers.append(answer.status)
        except urllib.error.HTTPError as error:
            answers.append(error.code)


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, name="server")
    thread.start()
    answers = []
    clients = [threading.Thread(target=client, args=(server.server_port, number, answers)) for number in range(CLIENTS)]
    for one in clients:
        one.start()
    for one in clients:
        one.join()
    server.shutdown()
    thread.join()
    server.server_close()
    print(sorted(answers).count(200), sorted(answers).count(404))


main()
