// jemalloc serves every allocation of the program: under Temporal's Go SDK a fifth of the server's CPU was glibc's
// malloc (messages made on one thread and freed on another), and jemalloc halves that. It reads its options here.

/// One arena, as there are few threads and each has its cache; what is freed goes back to the system soon.
extern "C" {
extern const char* malloc_conf;
const char* malloc_conf = "narenas:1,dirty_decay_ms:200,muzzy_decay_ms:0";
}
