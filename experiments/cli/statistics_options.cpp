#include "experiments/cli/statistics_options.h"

#include "experiments/cli/session.h"

namespace sar::cli {

StatisticsOptions::StatisticsOptions(const Catalog& catalog,
                                     const CommonOptions& common,
                                     const ProtocolRow* protocol)
    : common_(common), protocol_(protocol), user_(user_configuration(catalog, common)) {}

std::string StatisticsOptions::test(const std::string& own) const {
  return text(common_.test, "statistics.test", own);
}

std::string StatisticsOptions::correction(const std::string& own) const {
  return text(common_.correction, "statistics.correction", own);
}

double StatisticsOptions::alpha() const {
  return common_.alpha_given || !user_ ? common_.alpha : number("statistics.alpha");
}

std::string StatisticsOptions::origin_of_alpha() const {
  return common_.alpha_given ? "--alpha" : origin("statistics.alpha");
}

double StatisticsOptions::number(const std::string& key) const {
  return value(key).get<double>();
}

const std::string& StatisticsOptions::origin(const std::string& key) const {
  return user_->shared().values().at(key).origin;
}

Json StatisticsOptions::value(const std::string& key) const {
  const Json& said = user_->shared().values().at(key).value;
  return origin(key) != "built-in" || protocol_ == nullptr
             ? said
             : shared_settings(*protocol_).value(key, said);
}

std::string StatisticsOptions::text(const std::string& flag,
                                    const std::string& key,
                                    const std::string& own) const {
  if (!flag.empty()) {
    return flag;
  }
  return !user_ || (origin(key) == "built-in" && !own.empty()) ? own
                                                               : value(key).get<std::string>();
}

}  // namespace sar::cli
