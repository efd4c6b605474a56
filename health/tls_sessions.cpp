#include "health/tls_sessions.h"

#include <utility>

#include <curl/curl.h>

namespace demarc::health {

std::shared_ptr<void> TlsSessions::find_or_make(TargetId target, const Probe& probe,
                                                MonotonicTime now) {
  if (probe.certificate_every.count() == 0) return nullptr;
  const auto found = sessions_.find(target);
  if (found != sessions_.end() && now < found->second.end) return found->second.share;
  const std::shared_ptr<void> share(curl_share_init(),
                                    [](CURLSH* handle) { curl_share_cleanup(handle); });
  if (!share ||
      curl_share_setopt(share.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
    return nullptr;  // out of memory: a whole handshake does as well
  }
  sessions_.insert_or_assign(target, Session{share, now + probe.certificate_every});
  return share;
}

void TlsSessions::retain(const std::function<bool(TargetId)>& is_kept) {
  std::erase_if(sessions_, [&](const auto& entry) { return !is_kept(entry.first); });
}

}  // namespace demarc::health
