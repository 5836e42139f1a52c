/* RTP far ends: any number in one thread, each sends 20 ms of PCMA at its own moment and listens.

   Commands, a line each, from the standard input:
     open ADDRESS            makes the next far end; answers with its port
     talk NUMBER ADDRESS PORT
     measure                 forgets what was counted
     tell                    answers: packets, lost, out of order, late sends, p50 and p99 in us
   A packet bears the time of its sending; its arrival is the kernel's time. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 4096, BINS = 20001, PACKET = 172, FRAME = 160 };
static const uint64_t MS = 1000000ull;

struct far_end {
  int socket, talks, heard;
  uint16_t sequence, last;
  uint32_t timestamp;
  uint64_t due;
  struct sockaddr_in to;
};
static struct far_end ends[MOST];
static int count, epoll;
static uint64_t received, lost, disordered, late;
static uint32_t delays[BINS]; /* of 10 us each */

static uint64_t nanoseconds(struct timespec t) { return t.tv_sec * 1000 * MS + t.tv_nsec; }

static uint64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return nanoseconds(t);
}

static void forget(void) {
  received = lost = disordered = late = 0;
  memset(delays, 0, sizeof delays);
}

static int quantile(double share) {
  uint64_t sum = 0;
  for (int bin = 0; bin < BINS; bin++)
    if ((sum += delays[bin]) > share * received) return bin * 10;
  return BINS * 10;
}

static void open_end(const char *address) {
  struct far_end *end = ends + count;
  struct sockaddr_in own = {.sin_family = AF_INET};
  socklen_t size = sizeof own;
  struct epoll_event watched = {.events = EPOLLIN, .data.u32 = count++};
  int on = 1;
  inet_pton(AF_INET, address, &own.sin_addr);
  end->socket = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
  setsockopt(end->socket, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (bind(end->socket, (void *)&own, size)) exit(1);
  getsockname(end->socket, (void *)&own, &size);
  epoll_ctl(epoll, EPOLL_CTL_ADD, end->socket, &watched);
  printf("%d\n", ntohs(own.sin_port));
  fflush(stdout);
}

static void obey(const char *line) {
  char address[64];
  int number, port;
  if (count < MOST && sscanf(line, "open %63s", address) == 1) open_end(address);
  if (sscanf(line, "talk %d %63s %d", &number, address, &port) == 3) {
    struct far_end *end = ends + number;
    end->to = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
    inet_pton(AF_INET, address, &end->to.sin_addr);
    end->due = now() + rand() % 20000 * 1000ull;
    end->talks = 1;
  }
  if (!strcmp(line, "measure")) forget();
  if (!strcmp(line, "tell")) {
    printf("%lu %lu %lu %lu %d %d\n", received, lost, disordered, late, quantile(.5), quantile(.99));
    fflush(stdout);
  }
}

static void hear(struct far_end *end) {
  unsigned char packet[1600], beside[128];
  struct iovec room = {packet, sizeof packet};
  struct msghdr message = {.msg_iov = &room, .msg_iovlen = 1, .msg_control = beside};
  for (;;) {
    message.msg_controllen = sizeof beside;
    if (recvmsg(end->socket, &message, 0) < 0) return;
    if ((packet[1] & 127) != 8 || memcmp(packet + 12, "far end", 8)) continue;
    uint64_t arrived = now(), sent;
    struct cmsghdr *told = CMSG_FIRSTHDR(&message);
    if (told) arrived = nanoseconds(*(struct timespec *)CMSG_DATA(told));
    memcpy(&sent, packet + 20, sizeof sent);
    int64_t bin = (int64_t)(arrived - sent) / 10000;
    delays[bin < 0 ? 0 : bin < BINS ? bin : BINS - 1]++;
    uint16_t sequence = packet[2] << 8 | packet[3];
    int16_t step = sequence - end->last;
    if (end->heard && step > 1) lost += step - 1;
    if (end->heard && step < 1) disordered++;
    end->last = sequence;
    end->heard = 1;
    received++;
  }
}

static void say(struct far_end *end, int number, uint64_t time) {
  unsigned char packet[PACKET] = {0x80, 8, end->sequence >> 8, end->sequence};
  uint32_t timestamp = htonl(end->timestamp), ssrc = htonl(number + 1);
  memcpy(packet + 4, &timestamp, 4);
  memcpy(packet + 8, &ssrc, 4);
  memset(packet + 12, 0xd5, FRAME);
  memcpy(packet + 12, "far end", 8);
  if (time - end->due > 5 * MS) late++;
  uint64_t sent = now();
  memcpy(packet + 20, &sent, sizeof sent);
  sendto(end->socket, packet, PACKET, 0, (void *)&end->to, sizeof end->to);
  end->sequence++;
  end->timestamp += FRAME;
  end->due += 20 * MS;
}

int main(void) {
  struct epoll_event ready[256], commands = {.events = EPOLLIN, .data.u32 = MOST};
  char text[1 << 16];
  size_t length = 0;
  uint64_t look = 0;
  epoll = epoll_create1(0);
  fcntl(0, F_SETFL, O_NONBLOCK);
  epoll_ctl(epoll, EPOLL_CTL_ADD, 0, &commands);
  for (;;) {
    int some = epoll_wait(epoll, ready, 256, now() < look);
    for (int each = 0; each < some; each++) {
      if (ready[each].data.u32 < MOST) {
        hear(ends + ready[each].data.u32);
        continue;
      }
      ssize_t came = read(0, text + length, sizeof text - length - 1);
      if (came == 0) return 0;
      if (came > 0) text[length += came] = 0;
      char *line = text, *end;
      while ((end = memchr(line, '\n', text + length - line))) {
        *end = 0;
        obey(line);
        line = end + 1;
      }
      memmove(text, line, length -= line - text);
    }
    uint64_t time = now();
    if (time < look) continue;
    look = time + MS;
    for (int number = 0; number < count; number++)
      while (ends[number].talks && ends[number].due <= time) say(ends + number, number, time);
  }
}
