using Ashlar.Blocks;

namespace Ashlar.Server;

/// <summary>Names of the protocols that exports are for.</summary>
static class ExportProtocols
{
    public const string Iscsi = "iscsi", Nbd = "nbd", Nvme = "nvme";

    public static readonly string[] All = [Iscsi, Nbd, Nvme];

    public static bool IsKnown(string name) => Array.IndexOf(All, name) >= 0;

    /// <summary>Of a client.</summary>
    public static string Of(ClientProtocol protocol) => protocol.ToString().ToLowerInvariant();

    /// <summary>The protocol whose clients have a name of this form; null where none have.</summary>
    public static string? OfInitiator(string name) => name switch
    {
        _ when name.StartsWith("nqn.", StringComparison.Ordinal) => Nvme,
        _ when name.StartsWith("iqn.", StringComparison.Ordinal)
            || name.StartsWith("eui.", StringComparison.Ordinal)
            || name.StartsWith("naa.", StringComparison.Ordinal) => Iscsi,
        _ => null,
    };
}
