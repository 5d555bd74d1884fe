using Ashlar.Blocks;

namespace Ashlar.Server;

/// <summary>Under which names protocols know a volume.</summary>
static class ExportNames
{
    /// <summary>What iSCSI qualified names of ours begin with (RFC 7143, 4.2.7.4).</summary>
    public const string IscsiPrefix = "iqn.2026-11.io.ashlar:";

    /// <summary>What NVMe qualified names of ours begin with (NVM Express Base 2.0, 4.5): they are those of iSCSI but for this.</summary>
    public const string NvmePrefix = "nqn.2026-11.io.ashlar:";

    /// <summary>How the API, the log and the metrics call a protocol.</summary>
    public static string Protocol(ClientProtocol protocol) => protocol switch
    {
        ClientProtocol.Nbd => "nbd",
        ClientProtocol.Iscsi => "iscsi",
        _ => "nvme",
    };

    /// <summary>"vm1" in the pool main, "tank/vm1" elsewhere.</summary>
    public static string Nbd(string pool, string volume) => pool == DataDirectory.MainPool ? volume : $"{pool}/{volume}";

    /// <summary>"iqn.2026-11.io.ashlar:main.vm1".</summary>
    public static string IscsiTarget(string pool, string volume) => $"{IscsiPrefix}{pool}.{volume}";

    /// <summary>
    /// "iqn.2026-11.io.ashlar:main.vm1:monday": a colon may stand in the name of a target and in none of a volume or snapshot, so it is
    /// read in one way only. '@' must not be there.
    /// </summary>
    public static string IscsiTarget(string pool, string volume, string snapshot) => $"{IscsiTarget(pool, volume)}:{snapshot}";

    /// <summary>"nqn.2026-11.io.ashlar:main.vm1".</summary>
    public static string NvmeSubsystem(string pool, string volume) => $"{NvmePrefix}{pool}.{volume}";

    /// <summary>"nqn.2026-11.io.ashlar:main.vm1:monday".</summary>
    public static string NvmeSubsystem(string pool, string volume, string snapshot) => $"{NvmeSubsystem(pool, volume)}:{snapshot}";

    /// <summary>Volume and snapshot of "vm1@monday", or with another sign between; no snapshot where there is no sign.</summary>
    public static (string Volume, string? Snapshot) SplitSnapshot(string name, char sign) => name.IndexOf(sign) is >= 0 and var at
        ? (name[..at], name[(at + 1)..])
        : (name, null);

    /// <summary>Pool and volume of an NBD export name; the pool is main where none is named.</summary>
    public static (string Pool, string Volume) ParseNbd(string name) => name.IndexOf('/') is >= 0 and var slash
        ? (name[..slash], name[(slash + 1)..])
        : (DataDirectory.MainPool, name);

    /// <summary>Pool and volume of an iSCSI qualified name; null when it is none of ours.</summary>
    public static (string Pool, string Volume)? ParseIscsiTarget(string name) => ParseQualified(name, IscsiPrefix);

    /// <summary>Pool and volume of an NVMe qualified name; null when it is none of ours.</summary>
    public static (string Pool, string Volume)? ParseNvmeSubsystem(string name) => ParseQualified(name, NvmePrefix);

    static (string Pool, string Volume)? ParseQualified(string name, string prefix) =>
        name.StartsWith(prefix, StringComparison.Ordinal) && name.IndexOf('.', prefix.Length) is >= 0 and var dot
            ? (name[prefix.Length..dot], name[(dot + 1)..])
            : null;
}
