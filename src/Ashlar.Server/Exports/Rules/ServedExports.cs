using System.Collections.Immutable;
using System.Net;
using System.Text;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Iscsi;
using Ashlar.Nvme;
using Ashlar.Storage;
using Microsoft.Extensions.Logging;

namespace Ashlar.Server;

/// <summary>
/// The exports of a server. A volume without any is reached by whoever reaches the server; one with exports through them alone, by the
/// oldest one that fits.
/// </summary>
/// <remarks>
/// Invariant: what is remembered and cannot be read keeps the server from starting, for without it a volume would be open to all. Crash
/// order of a change: its record is durable; then it holds for who comes; then those are cut off whom it does not let in.
/// </remarks>
sealed partial class ServedExports
{
    const int MaxNameLength = 64, MaxListed = 64, MaxUserBytes = 223, MinSecretBytes = 12, MaxSecretBytes = 255;

    readonly ExportRegistry registry;
    readonly SecretBox secrets;
    readonly ChapAccount decoy;
    readonly DhChapAccount hostDecoy;
    readonly Action<LogEntry> report;
    readonly Lock turn = new(); // One change at a time.
    volatile ImmutableArrayBox all;

    ServedExports(ExportRegistry registry, SecretBox secrets, byte[] unknown, Action<LogEntry> report)
    {
        (this.registry, this.secrets, this.report) = (registry, secrets, report);
        (decoy, hostDecoy) = (new("", unknown), new("", DhChapSecret.Of(unknown)));
        all = new([.. registry.Numbers().Select(number => Serve(registry.ReadRecord(number)))]);
    }

    /// <summary>Called when what exports say has changed: who is not let in any more is to be cut off.</summary>
    public Action? Changed { get; set; }

    /// <summary>All of them, the oldest first.</summary>
    public ImmutableArray<ServedExport> All => all.Items;

    /// <summary>Reads all that is remembered.</summary>
    /// <exception cref="CorruptDataException">Something of it is damaged, or its secrets do not open.</exception>
    public static ServedExports Open(DataDirectory directory, ServerOptions options, Action<LogEntry> report)
    {
        options.FileSystem.CreateDirectories(directory.ExportsPath);
        var registry = new ExportRegistry(options.FileSystem, directory.ExportsPath);
        var secrets = new SecretBox(options.FileSystem, $"{directory.ExportsPath}/key", options.Entropy);
        var unknown = new byte[32];
        options.Entropy.Fill(unknown);
        return new(registry, secrets, unknown, report);
    }

    /// <summary>An export.</summary>
    /// <exception cref="ApiException">There is none of that name.</exception>
    public ServedExport Get(string name) => Find(name)
        ?? throw new ApiException(ProblemKind.ExportNotFound, $"there is no export '{name}'");

    /// <summary>Who may reach a volume.</summary>
    public ExportDecision Decide(Guid volume, string? snapshot, ClientIdentity client)
    {
        var isExported = false;
        foreach (var export in All)
        {
            if (export.Record.VolumeId != volume) continue;
            isExported = true;
            if (export.IsFor(volume, snapshot) && export.Admits(client) && export.IsProved(client))
                return new(true, export.Record.IsReadOnly, export.Name);
        }
        return isExported ? default : ExportDecision.Open;
    }

    /// <summary>What an initiator has to prove to reach a volume.</summary>
    /// <param name="volume">The volume; null where there is none: that looks like one that the initiator may not reach.</param>
    /// <param name="snapshot">A snapshot of it, or null for itself.</param>
    /// <param name="client">Who it says it is.</param>
    public ChapDemand? Demand(Guid? volume, string? snapshot, ClientIdentity client)
    {
        var exports = All;
        if (volume is { } known && exports.All(export => export.Record.VolumeId != known)) return null;
        ServedExport[] fitting =
            volume is { } id ? [.. exports.Where(export => export.IsFor(id, snapshot) && export.Admits(client))] : [];
        if (fitting.Length == 0) return exports.Any(static export => export.Account is not null) ? new([decoy], IsRequired: true) : null;
        ChapAccount[] accounts = [.. fitting.Select(static export => export.Account).OfType<ChapAccount>()];
        return accounts.Length == 0 ? null : new(accounts, IsRequired: accounts.Length == fitting.Length);
    }

    /// <summary>What an initiator can prove to be told of more targets.</summary>
    public ChapDemand? DemandOfDiscovery(ClientIdentity client)
    {
        ChapAccount[] accounts =
            [.. All.Where(export => export.Admits(client)).Select(static export => export.Account).OfType<ChapAccount>()];
        return accounts.Length == 0 ? null : new(accounts, IsRequired: false);
    }

    /// <summary>Creates an export; durable when it returns.</summary>
    public ServedExport Create(CreateExport request, Guid volume, string by)
    {
        CheckName(request.Name);
        lock (turn)
        {
            if (Find(request.Name) is not null)
                throw new ApiException(ProblemKind.Exists, $"there is an export {request.Name} already");
            var number = registry.NextNumber();
            var record = new RememberedExport
            {
                Number = number,
                Name = request.Name,
                VolumeId = volume,
                Snapshot = request.Snapshot,
                Protocols = request.Protocols ?? [],
                Initiators = CheckInitiators(request.Initiators ?? []),
                Addresses = CheckAddresses(request.Addresses ?? []),
                IsReadOnly = request.IsReadOnly,
                Chap = request.Chap is { } chap ? Seal(chap, number, request.Name) : null,
                DhChap = request.DhChap is { } ofHosts ? Seal(ofHosts, number) : null,
            };
            record = Check(request.Protocols is null ? record with { Protocols = ProtocolsFor(record) } : record);
            var served = Serve(record);
            registry.Install(record);
            all = new(All.Add(served));
            Tell(LogEvents.ExportCreated, served, $"is created, by {by}");
            Changed?.Invoke();
            return served;
        }
    }

    /// <summary>Changes an export; durable when it returns.</summary>
    public ServedExport Change(string name, ChangeExport request, string by)
    {
        if (request is
            {
                Protocols: null, Initiators: null, Addresses: null, IsReadOnly: null, Chap: null, WithoutChap: false, DhChap: null,
                WithoutDhChap: false,
            })
        {
            throw new ApiException(
                ProblemKind.InvalidRequest,
                "nothing to change: the request has no 'protocols', 'initiators', 'addresses', 'isReadOnly', 'chap', 'withoutChap', "
                + "'dhChap' or 'withoutDhChap'");
        }
        if (request is { Chap: not null, WithoutChap: true })
            throw new ApiException(ProblemKind.InvalidRequest, "'chap' and 'withoutChap' exclude each other");
        if (request is { DhChap: not null, WithoutDhChap: true })
            throw new ApiException(ProblemKind.InvalidRequest, "'dhChap' and 'withoutDhChap' exclude each other");
        lock (turn)
        {
            var before = Get(name);
            var record = before.Record;
            record = Check(record with
            {
                Protocols = request.Protocols ?? record.Protocols,
                Initiators = request.Initiators is { } initiators ? CheckInitiators(initiators) : record.Initiators,
                Addresses = request.Addresses is { } addresses ? CheckAddresses(addresses) : record.Addresses,
                IsReadOnly = request.IsReadOnly ?? record.IsReadOnly,
                Chap = request.WithoutChap ? null : request.Chap is { } chap ? Seal(chap, record.Number, name) : record.Chap,
                DhChap = request.WithoutDhChap ? null
                    : request.DhChap is { } ofHosts ? Seal(ofHosts, record.Number) : record.DhChap,
            });
            var served = Serve(record);
            registry.Install(record);
            all = new(All.Replace(before, served));
            Tell(LogEvents.ExportChanged, served, $"is changed, by {by}");
            Changed?.Invoke();
            return served;
        }
    }

    /// <summary>Deletes an export; durable when it returns. The last one of a volume opens that to all again.</summary>
    public void Delete(string name, string by)
    {
        lock (turn)
        {
            var served = Get(name);
            registry.Remove(served.Record.Number);
            all = new(All.Remove(served));
            Tell(LogEvents.ExportDeleted, served, $"is deleted, by {by}");
            Changed?.Invoke();
        }
    }

    ServedExport? Find(string name) => All.FirstOrDefault(export => export.Name == name);

    ServedExport Serve(RememberedExport record) => new(
        record,
        record.Chap is not { } chap ? null : new(chap.User, secrets.Open(chap.Secret, Owner(record.Number, "initiator")))
        {
            TargetUser = chap.TargetUser,
            TargetSecret = chap.TargetSecret is { } sealedSecret ? secrets.Open(sealedSecret, Owner(record.Number, "target")) : null,
        },
        AccountOfHosts(record));

    SealedChap Seal(ChapSecrets chap, ulong number, string name)
    {
        CheckUser(chap.User);
        CheckSecret(chap.Secret);
        if ((chap.TargetUser is null) != (chap.TargetSecret is null))
            throw new ApiException(ProblemKind.InvalidRequest, "'targetUser' and 'targetSecret' come together");
        if (chap.TargetUser is { } targetUser) CheckUser(targetUser);
        if (chap.TargetSecret is { } targetSecret) CheckSecret(targetSecret);
        // RFC 7143, 12.1.3: whoever learns the one must not be able to be the other.
        if (chap.TargetSecret == chap.Secret)
            throw new ApiException(ProblemKind.InvalidRequest, "the secrets of the two directions are the same: they must differ");
        // A user says by which export somebody comes, also in discovery.
        if (All.Any(other => other.Name != name && other.Account is { } account && account.User == chap.User
            && !account.Secret.AsSpan().SequenceEqual(Encoding.UTF8.GetBytes(chap.Secret))))
        {
            throw new ApiException(ProblemKind.Exists, $"CHAP user {chap.User} has another secret in another export");
        }
        return new(chap.User, secrets.Seal(chap.Secret, Owner(number, "initiator")))
        {
            TargetUser = chap.TargetUser,
            TargetSecret = chap.TargetSecret is { } secret ? secrets.Seal(secret, Owner(number, "target")) : null,
        };
    }

    static string Owner(ulong number, string direction) => $"export {number} {direction}";

    static string[] ProtocolsFor(RememberedExport record) => record switch
    {
        { Chap: not null } => [ExportProtocols.Iscsi],
        { DhChap: not null } => [ExportProtocols.Nvme],
        { Initiators: [var first, ..] } => [ExportProtocols.OfInitiator(first)!],
        _ => ExportProtocols.All,
    };

    static RememberedExport Check(RememberedExport record)
    {
        if (record.Protocols.Count == 0) throw new ApiException(ProblemKind.InvalidRequest, "'protocols' is empty: name one at least");
        if (record.Protocols.FirstOrDefault(static each => !ExportProtocols.IsKnown(each)) is { } unknown)
        {
            throw new ApiException(
                ProblemKind.InvalidRequest, $"'{unknown}' is not a protocol: {string.Join(", ", ExportProtocols.All)}");
        }
        if (record.Chap is not null && record.Protocols.Any(static each => each != ExportProtocols.Iscsi))
            throw new ApiException(ProblemKind.InvalidRequest, "CHAP is of iSCSI: an export that asks for it is for iscsi alone");
        if (record.DhChap is not null && record.Protocols.Any(static each => each != ExportProtocols.Nvme))
        {
            throw new ApiException(
                ProblemKind.InvalidRequest, "DH-HMAC-CHAP is of NVMe: an export that asks for it is for nvme alone");
        }
        if (record.Initiators.Count > 0 && record.Protocols.Contains(ExportProtocols.Nbd, StringComparer.Ordinal))
            throw new ApiException(ProblemKind.InvalidRequest, "clients of NBD have no names: an export for initiators is not for nbd");
        var isNamed = record.Initiators.Select(ExportProtocols.OfInitiator).ToHashSet(StringComparer.Ordinal);
        if (record.Initiators.Count > 0 && record.Protocols.FirstOrDefault(each => !isNamed.Contains(each)) is { } nobody)
            throw new ApiException(ProblemKind.InvalidRequest, $"no initiator is one of {nobody}: it would let in nobody by that");
        return record with { Protocols = [.. record.Protocols.Distinct(StringComparer.Ordinal)] };
    }

    static IReadOnlyList<string> CheckInitiators(IReadOnlyList<string> names)
    {
        if (names.Count > MaxListed) throw new ApiException(ProblemKind.InvalidRequest, $"{names.Count} initiators: {MaxListed} at most");
        foreach (var name in names)
        {
            if (ExportProtocols.OfInitiator(name) is null || name.Length > 223 || name.Any(static c => c <= ' ' || char.IsControl(c)))
                throw new ApiException(ProblemKind.InvalidRequest, $"'{name}' is not the name of an initiator: iqn., eui., naa. or nqn.");
        }
        return [.. names.Distinct(StringComparer.OrdinalIgnoreCase)];
    }

    // An address alone is a network of one; bits beyond the length would be a slip that lets in others than was meant.
    static List<string> CheckAddresses(IReadOnlyList<string> addresses)
    {
        if (addresses.Count > MaxListed)
            throw new ApiException(ProblemKind.InvalidRequest, $"{addresses.Count} addresses: {MaxListed} at most");
        var networks = new List<string>();
        foreach (var text in addresses)
        {
            if (IPAddress.TryParse(text, out var address)) networks.Add($"{address}/{address.GetAddressBytes().Length * 8}");
            else if (IPNetwork.TryParse(text, out var network) && IPAddress.Parse(text[..text.IndexOf('/')]).Equals(network.BaseAddress))
                networks.Add(network.ToString());
            else throw new ApiException(ProblemKind.InvalidRequest, $"'{text}' is not an address or network, such as 192.0.2.0/24");
        }
        return networks;
    }

    static void CheckName(string name)
    {
        if (name.Length is 0 or > MaxNameLength
            || !name.All(static c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-'))
        {
            throw new ApiException(
                ProblemKind.InvalidName, $"'{name}' is not the name of an export: 1 to {MaxNameLength} of a-z, 0-9, '.', '_' and '-'");
        }
    }

    static void CheckUser(string user)
    {
        if (user.Length == 0 || Encoding.UTF8.GetByteCount(user) > MaxUserBytes || user.Any(char.IsControl))
        {
            throw new ApiException(
                ProblemKind.InvalidRequest, $"a CHAP user has 1 to {MaxUserBytes} bytes, none of them a control character");
        }
    }

    static void CheckSecret(string secret)
    {
        var bytes = Encoding.UTF8.GetByteCount(secret);
        if (bytes is < MinSecretBytes or > MaxSecretBytes || secret.Any(char.IsControl))
        {
            throw new ApiException(
                ProblemKind.InvalidRequest,
                $"a CHAP secret has {MinSecretBytes} to {MaxSecretBytes} bytes, none of them a control character; this one has {bytes}");
        }
    }

    void Tell(string name, ServedExport export, string what) =>
        report(new(LogLevel.Information, name, $"export {export.Name} of volume {export.Record.VolumeId} {what}"));

    /// <summary>A struct cannot be volatile.</summary>
    sealed record ImmutableArrayBox(ImmutableArray<ServedExport> Items);
}
