// What pana knows of platforms, which own a part of every database on them. All of it is here; everything else follows
// from what the target says of itself.
//
// The names are those of Supabase, from its public sources (supabase/postgres, supabase/auth, supabase/storage) as of
// 2026.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/schema_names.h"

namespace pana {

// A role that the platform makes in each project: one that the target lacks is not a user's.
bool looks_like_platform_role(std::string_view role);

// One that belongs to the user and holds what the platform makes: extensions, with functions of the platform's.
bool is_platform_schema(std::string_view schema);

// What calls the world for each row.
bool is_webhook(const RelationName& function);

// Where a service of the platform writes down which of its own migrations have run: true of the database it is in.
bool is_ledger(const RelationName& table);

// Rows that mean nothing in another database: sign-ins under way, subscriptions of open connections, requests that wait
// to be sent.
bool is_transient(const RelationName& table);

// Which the platform itself removes after three days: the messages of Realtime.
bool is_short_lived(const RelationName& table);

// How to get what messages of the server ("schema \"net\" does not exist") say that the target lacks, where that is a
// feature of the platform.
std::vector<std::string> features_to_switch_on(const std::vector<std::string>& messages);

}  // namespace pana
