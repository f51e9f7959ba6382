#include "command/platform.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace pana {

bool looks_like_platform_role(std::string_view role) {
  constexpr std::array kPrefixes = {"supabase_", "pgsodium_", "cli_login_"};
  constexpr std::array kNames = {"pgbouncer",     "pgtle_admin", "dashboard_user", "authenticator",
                                 "authenticated", "anon",        "service_role"};
  return std::ranges::any_of(kPrefixes, [role](const char* prefix) { return role.starts_with(prefix); }) ||
         std::ranges::find(kNames, role) != kNames.end();
}

bool is_platform_schema(std::string_view schema) { return schema == "extensions"; }

bool is_webhook(const RelationName& function) {
  return function.schema == "supabase_functions" && function.name == "http_request";
}

bool is_ledger(const RelationName& table) { return table.name == "migrations" || table.name == "schema_migrations"; }

bool is_transient(const RelationName& table) {
  static const std::array kTables = {RelationName{"auth", "flow_state"}, RelationName{"auth", "saml_relay_states"},
                                     RelationName{"realtime", "subscription"},
                                     RelationName{"net", "http_request_queue"}, RelationName{"net", "_http_response"}};
  return std::ranges::find(kTables, table) != kTables.end();
}

bool is_short_lived(const RelationName& table) {
  return table.schema == "realtime" && (table.name == "messages" || table.name.starts_with("messages_"));
}

std::vector<std::string> features_to_switch_on(const std::vector<std::string>& messages) {
  using Feature = std::pair<std::string_view, std::string_view>;
  constexpr std::array kFeatures = {Feature{"supabase_functions", "switch on Database Webhooks in the target first"},
                                    Feature{"pgmq", "switch on Queues in the target first"},
                                    Feature{"pgmq_public", "switch on Queues in the target first"},
                                    Feature{"net", "create the extension pg_net in the target first"},
                                    Feature{"cron", "create the extension pg_cron in the target first"},
                                    Feature{"vault", "create the extension supabase_vault in the target first"}};
  std::vector<std::string> hints;
  for (const auto& [schema, hint] : kFeatures) {
    const std::string missing = fmt::format("schema \"{}\"", schema);
    const bool is_wanted = std::ranges::any_of(
        messages, [&missing](const std::string& message) { return message.find(missing) != std::string::npos; });
    if (is_wanted) hints.emplace_back(hint);
  }
  return hints;
}

}  // namespace pana
