#include "servers.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define BACKLOG  1024
#define LISTENER 3 /* its number in the child */

/* --- the port ---------------------------------------------------------------------------------- */

/* A socket of that port of loopback, 0: any.  Several may be bound to it while one listens.  It must
 * not block: nginx leaves one it inherits as it is, and the worker that loses the race for a
 * connection while it reloads would wait in accept() for ever. */
static int bind_port(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1;

    CU_ASSERT_FATAL(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;

    CU_ASSERT_EQUAL_FATAL(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    return ntohs(address.sin_port);
}

void server_init(struct server *server)
{
    memset(server, 0, sizeof *server);
    server->reserved = bind_port(0);
    server->port = port_of(server->reserved);
    snprintf(server->url, sizeof server->url, "https://127.0.0.1:%u", server->port);
    test_pki_init(&server->pki);
    test_pki_write(&server->pki, &(struct test_identity){.names = "IP:127.0.0.1"}, "server");
}

/* --- files ------------------------------------------------------------------------------------- */

static void path_of(const struct server *server, const char *name, char path[128])
{
    snprintf(path, 128, "%s/%s", server->pki.directory, name);
}

void server_write_file(const struct server *server, const char *name, const char *bytes,
                       size_t length)
{
    char path[128];
    FILE *file;

    path_of(server, name, path);
    file = fopen(path, "w");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL_FATAL(fwrite(bytes, 1, length, file), length);
    CU_ASSERT_EQUAL_FATAL(fclose(file), 0);
}

__attribute__((format(printf, 3, 4))) static void write_config(const struct server *server,
                                                               const char *name, const char *format,
                                                               ...)
{
    char text[8192];
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    CU_ASSERT_FATAL(length > 0 && (size_t)length < sizeof text);
    server_write_file(server, name, text, (size_t)length);
}

bool server_complained(const struct server *server, const char *text)
{
    char path[128], line[1024];
    bool found = false;
    FILE *file;

    path_of(server, "error.log", path);
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fgets(line, sizeof line, file))
        found |= strstr(line, text) != NULL;
    fclose(file);
    return found;
}

/* For who has to find out why a test failed. */
static void print_complaints(const struct server *server)
{
    char path[128], line[512];
    FILE *file;

    path_of(server, "error.log", path);
    file = fopen(path, "r");
    while (file && fgets(line, sizeof line, file))
        printf("    %s", line);
    if (file)
        fclose(file);
}

/* --- the process ------------------------------------------------------------------------------- */

/* Where programs are that only root is thought to run. */
static bool find_program(const char *name, char path[512])
{
    const char *variable = getenv("PATH");
    char folders[4096], *folder, *at;

    snprintf(folders, sizeof folders, "%s:/usr/local/sbin:/usr/sbin:/sbin",
             variable ? variable : "/usr/bin");
    for (folder = strtok_r(folders, ":", &at); folder; folder = strtok_r(NULL, ":", &at)) {
        snprintf(path, 512, "%s/%s", folder, name);
        if (access(path, X_OK) == 0)
            return true;
    }
    return false;
}

/* How a program is told that its listening socket is descriptor 3. */
struct inheritance {
    const char *variable, *value;
};

/* In the child, which keeps nothing else of the test's. */
static void run_program(const struct server *server, int listener, char *const argv[],
                        const struct inheritance *inheritance, pid_t parent)
{
    char path[128];
    FILE *log;

    path_of(server, "error.log", path);
    log = fopen(path, "a");
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (!log || getppid() != parent || setpgid(0, 0) < 0 ||
        setenv(inheritance->variable, inheritance->value, 1) < 0 ||
        dup2(fileno(log), STDOUT_FILENO) < 0 || dup2(fileno(log), STDERR_FILENO) < 0)
        _exit(126);
    /* By way of a higher number: dup2() onto itself would leave close-on-exec set. */
    listener = fcntl(listener, F_DUPFD, LISTENER + 1);
    if (dup2(listener, LISTENER) < 0 || close_range(LISTENER + 1, UINT_MAX, 0) < 0)
        _exit(126);
    execv(argv[0], argv);
    _exit(127);
}

static void start(struct server *server, const char *package, char *const arguments[],
                  const struct inheritance *inheritance)
{
    pid_t parent = getpid();
    char program[512], *argv[8] = {program};
    int listener;

    CU_ASSERT_EQUAL_FATAL(server->pid, 0);
    if (!find_program(arguments[0], program)) {
        printf("    %s is not installed: apt-get install %s\n", arguments[0], package);
        CU_FAIL_FATAL("a server that the tests need is not installed");
    }
    for (size_t i = 1; arguments[i]; i++)
        argv[i] = arguments[i];
    /* A worker whose master is gone becomes a child of the test, which waits for it too. */
    CU_ASSERT_EQUAL_FATAL(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    listener = bind_port(server->port);
    CU_ASSERT_EQUAL_FATAL(listen(listener, BACKLOG), 0);
    fflush(stdout);
    server->pid = fork();
    CU_ASSERT_NOT_EQUAL_FATAL(server->pid, -1);
    if (server->pid == 0)
        run_program(server, listener, argv, inheritance, parent);
    setpgid(server->pid, server->pid); /* whoever is first; the other one fails or does nothing */
    close(listener);
}

/* Returns the process, 0 while it runs. */
static pid_t wait_for(pid_t pid, int flags)
{
    int status;
    pid_t ended;

    do
        ended = waitpid(pid, &status, flags);
    while (ended < 0 && errno == EINTR);
    return ended;
}

void server_stop(struct server *server, int signal_number)
{
    if (wait_for(server->pid, WNOHANG) == 0) {
        kill(signal_number == SIGKILL ? -server->pid : server->pid, signal_number);
        wait_for(server->pid, 0);
    } else {
        print_complaints(server);
        CU_FAIL("a server ended by itself");
    }
    kill(-server->pid, SIGKILL); /* what its master has left behind */
    while (wait_for(-server->pid, 0) > 0)
        ;
    server->pid = 0;
}

void server_free(struct server *server)
{
    char path[128];

    if (server->pid)
        server_stop(server, SIGTERM);
    close(server->reserved);
    path_of(server, "temp", path);
    rmdir(path); /* nginx's; there may be none */
    test_pki_free(&server->pki);
}

void server_signal(const struct server *server, int signal_number)
{
    CU_ASSERT_EQUAL(kill(server->pid, signal_number), 0);
}

/* --- nginx ------------------------------------------------------------------------------------- */

static const char nginx_conf[] =
    "%s\n"
    "daemon off;\n"
    "worker_processes 1;\n"
    "pid nginx.pid;\n"
    "error_log stderr info;\n"
    "events { worker_connections 1000; }\n"
    "http {\n"
    "log_format line '$connection $server_protocol $ssl_session_reused $request_method $status "
    "$request_uri';\n"
    "access_log access.log line;\n"
    "client_body_temp_path temp;\n"
    "proxy_temp_path temp;\n"
    "fastcgi_temp_path temp;\n"
    "scgi_temp_path temp;\n"
    "uwsgi_temp_path temp;\n"
    "default_type application/json;\n"
    "proxy_http_version 1.1;\n"
    "proxy_set_header Connection '';\n"
    "proxy_set_header Host 127.0.0.1;\n"
    "%s\n"
    "server {\n"
    "listen 127.0.0.1:%u ssl %s;\n"
    "ssl_certificate server.crt;\n"
    "ssl_certificate_key server.key;\n"
    "root .;\n"
    "%s\n"
    "}\n"
    "}\n";

void server_start_nginx(struct server *server, const char *listen, const char *http,
                        const char *rest)
{
    static const struct inheritance inheritance = {"NGINX", "3;"};
    char *const arguments[] = {"nginx",  "-p", server->pki.directory, "-c", "nginx.conf", "-e",
                               "stderr", NULL};

    /* Else a worker of root's is nobody, who may not look into the directory. */
    write_config(server, "nginx.conf", nginx_conf, geteuid() == 0 ? "user root;" : "", http,
                 server->port, listen, rest);
    start(server, "nginx-light", arguments, &inheritance);
}

void server_read_log(const struct server *server,
                     void (*take)(void *user, const struct server_line *line), void *user)
{
    char path[128], text[1024], reused[4];
    struct server_line line;
    FILE *file;

    path_of(server, "access.log", path);
    file = fopen(path, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    while (fgets(text, sizeof text, file)) {
        CU_ASSERT_EQUAL_FATAL(sscanf(text, "%u %15s %3s %7s %d %255s", &line.connection,
                                     line.protocol, reused, line.method, &line.status, line.uri),
                              6);
        line.resumed = reused[0] == 'r';
        take(user, &line);
    }
    fclose(file);
}

/* --- nghttpx ----------------------------------------------------------------------------------- */

void server_start_nghttpx(struct server *server, uint16_t backend, const char *rest)
{
    static const struct inheritance inheritance = {"NGHTTPX_ACCEPT_1", "tcp,3"};
    char conf[128], *const arguments[] = {"nghttpx", conf, NULL};

    snprintf(conf, sizeof conf, "--conf=%s/nghttpx.conf", server->pki.directory);
    write_config(server, "nghttpx.conf",
                 "frontend=127.0.0.1,%u\n"
                 "backend=127.0.0.1,%u\n"
                 "private-key-file=%s/server.key\n"
                 "certificate-file=%s/server.crt\n"
                 "errorlog-file=/dev/stderr\n"
                 "no-ocsp=yes\n"
                 "%s\n",
                 server->port, backend, server->pki.directory, server->pki.directory, rest);
    start(server, "nghttp2-proxy", arguments, &inheritance);
}
