// Requests as a host program writes them.

#include "sluice/message.hpp"

namespace sluice {

Request Request::post(std::string target, std::string json) {
  Request request;
  request.method = "POST";
  request.target = std::move(target);
  request.headers.add_trusted("content-type", "application/json");
  request.body = Body::from(std::move(json));
  return request;
}

Request Request::get(std::string target) {
  Request request;
  request.target = std::move(target);
  return request;
}

}  // namespace sluice
