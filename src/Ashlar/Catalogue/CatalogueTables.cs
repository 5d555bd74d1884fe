using Ashlar.Api;

namespace Ashlar.CommandLine;

/// <summary>The tables, in the SQL that SQLite and PostgreSQL have in common.</summary>
static class CatalogueTables
{
    public const string Create = """
        CREATE TABLE Volume (
          id TEXT PRIMARY KEY,
          name TEXT NOT NULL UNIQUE,
          size_bytes BIGINT NOT NULL,
          provisioned_bytes BIGINT NOT NULL,
          snapshot_id TEXT,
          status TEXT NOT NULL,
          created_at TIMESTAMP WITH TIME ZONE NOT NULL
        );
        CREATE TABLE VolumeBlock (
          volume_id TEXT NOT NULL REFERENCES Volume (id),
          logical_block BIGINT NOT NULL,
          physical_node TEXT NOT NULL,
          physical_offset BIGINT NOT NULL,
          PRIMARY KEY (volume_id, logical_block)
        );
        CREATE TABLE Snapshot (
          id TEXT PRIMARY KEY,
          volume_id TEXT NOT NULL REFERENCES Volume (id),
          parent_snapshot_id TEXT REFERENCES Snapshot (id),
          created_at TIMESTAMP WITH TIME ZONE NOT NULL,
          size_bytes BIGINT NOT NULL
        );
        """;

    /// <summary>The name of a volume, which is unique over all pools.</summary>
    public static string NameOf(CatalogueVolume volume) => new VolumePath(volume.Pool, volume.Name).ToString();

    public static string Format(Guid id) => id.ToString("D");

    public static string Format(DateTimeOffset time) => Rfc3339.Format(time);
}
