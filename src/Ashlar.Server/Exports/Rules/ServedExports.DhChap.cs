using System.Globalization;
using System.Text;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Nvme;
using Ashlar.Storage;

namespace Ashlar.Server;

// What hosts of NVMe have to prove. They have no users: a host proves that it has the secret of an export, and comes by that export.
sealed partial class ServedExports
{
    /// <summary>What a host has to prove to reach a volume, one of these; null where it need not.</summary>
    /// <param name="volume">The volume; null where there is none: that looks like one that the host may not reach.</param>
    /// <param name="snapshot">A snapshot of it, or null for itself.</param>
    /// <param name="client">Who it says it is.</param>
    public IReadOnlyList<DhChapAccount>? DemandOfHost(Guid? volume, string? snapshot, ClientIdentity client)
    {
        var exports = All;
        if (volume is { } known && exports.All(export => export.Record.VolumeId != known)) return null;
        ServedExport[] fitting =
            volume is { } id ? [.. exports.Where(export => export.IsFor(id, snapshot) && export.Admits(client))] : [];
        if (fitting.Length == 0) return exports.Any(static export => export.HostAccount is not null) ? [hostDecoy] : null;
        // Whom an export lets in as it is, is not asked.
        DhChapAccount[] accounts = [.. fitting.Select(static export => export.HostAccount).OfType<DhChapAccount>()];
        return accounts.Length < fitting.Length ? null : accounts;
    }

    /// <summary>
    /// What a host has to prove once more that has come by an export: the secret that it has now, whatever other exports let in; null where
    /// it has none any more.
    /// </summary>
    /// <param name="account">Identity of what the host has proved.</param>
    public IReadOnlyList<DhChapAccount>? DemandAgain(string account) =>
        All.FirstOrDefault(export => AccountId(export.Record) == account) is not { } export ? []
        : export.HostAccount is { } known ? [known]
        : null;

    // Numbers are never given twice: an export of the same name is another.
    internal static string AccountId(RememberedExport record) => record.Number.ToString(CultureInfo.InvariantCulture);

    DhChapAccount? AccountOfHosts(RememberedExport record) => record.DhChap is not { } sealedSecrets ? null : new(
        record.Name, OpenSecret(sealedSecrets.Secret, record.Number, "host"))
    {
        Id = AccountId(record),
        ControllerSecret = sealedSecrets.ControllerSecret is { } ours ? OpenSecret(ours, record.Number, "controller") : null,
    };

    DhChapSecret OpenSecret(byte[] sealedSecret, ulong number, string whose)
    {
        var owner = Owner(number, whose);
        return DhChapSecret.TryParse(Encoding.UTF8.GetString(secrets.Open(sealedSecret, owner)), out var secret, out var problem)
            ? secret
            : throw new CorruptDataException(owner, 0, problem);
    }

    SealedDhChap Seal(DhChapSecrets given, ulong number)
    {
        var host = Parse(given.Secret);
        // Whoever learns the one must not be able to be the other.
        if (given.ControllerSecret is { } other && Parse(other).IsSame(host))
            throw new ApiException(ProblemKind.InvalidRequest, "the secrets of host and controller are the same: they must differ");
        return new(
            secrets.Seal(given.Secret, Owner(number, "host")),
            given.ControllerSecret is { } ours ? secrets.Seal(ours, Owner(number, "controller")) : null);
    }

    static DhChapSecret Parse(string text) => DhChapSecret.TryParse(text, out var secret, out var problem)
        ? secret
        : throw new ApiException(ProblemKind.InvalidRequest, problem);
}
