using System.Diagnostics.CodeAnalysis;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Server;

// Who is attached, to volumes and to snapshots.
sealed partial class ServedPool
{
    public VolumeClients ClientsOf(string name)
    {
        lock (gate) return open.TryGetValue(name, out var volume) ? volume.Clients : new(0, 0);
    }

    public VolumeClients AllClients()
    {
        lock (gate)
        {
            return open.Values.Concat(openSnapshots.Values).Select(volume => volume.Clients)
                .Aggregate(new VolumeClients(0, 0), (sum, each) => sum + each);
        }
    }

    /// <summary>What clients of a volume do; null where it is not open, and so nobody is attached.</summary>
    public VolumeFront? FrontOf(string name) => OpenedOf(name)?.Front;

    /// <summary>A volume that is open; null where nobody has been attached since the start.</summary>
    public ServedVolume? OpenedOf(string name)
    {
        lock (gate) return open.GetValueOrDefault(name);
    }

    /// <summary>Attaches a client to a volume; false when there is none of that name, or none for this client.</summary>
    public bool TryAttach(
        string name,
        ClientIdentity client,
        [NotNullWhen(true)] out ServedVolume? volume,
        [NotNullWhen(true)] out ClientSession? session)
    {
        session = null;
        lock (gate) // Whoever looks for clients and then keeps others out has seen all of them.
        {
            if (!TryOpen(name, out volume)) return false;
            var decision = guard?.Decide(volume.Id, null, client) ?? ExportDecision.Open;
            if (!decision.IsAllowed) return false;
            try
            {
                session = volume.Front.Attach(client, decision.IsReadOnly);
                return true;
            }
            catch (SessionFencedException)
            {
                return false; // Being deleted.
            }
        }
    }

    /// <summary>All clients, with what they are attached to.</summary>
    public IReadOnlyList<(ServedVolume Volume, ClientSession Session)> AllSessions()
    {
        lock (gate)
        {
            return
            [
                .. open.Values.Concat(openSnapshots.Values).OrderBy(static volume => volume.Path, StringComparer.Ordinal)
                    .SelectMany(static volume => volume.Front.Sessions.Select(session => (volume, session))),
            ];
        }
    }

    /// <summary>Ends what clients do that are not let in any more, or not to write: what exports say has changed.</summary>
    public void CutOffUnwanted()
    {
        if (guard is null) return;
        foreach (var (volume, session) in AllSessions())
        {
            var decision = DecisionOf(guard.Decide, volume, session.Client);
            if (!decision.IsAllowed || (decision.IsReadOnly && !session.IsReadOnly))
                _ = session.FenceAsync(FenceReason.ClientDetached);
        }
    }

    /// <summary>What exports say of a client that is attached.</summary>
    public static ExportDecision DecisionOf(ExportRule rule, ServedVolume volume, ClientIdentity client) => volume.SnapshotOf is { } origin
        ? rule(origin, ExportNames.SplitSnapshot(volume.Path, '@').Snapshot, client)
        : rule(volume.Id, null, client);

    /// <summary>
    /// Lets nobody in any more, and ends what clients do: the pool is about to be closed.
    /// </summary>
    /// <param name="evenIfInUse">Whether clients may be attached; they are cut off.</param>
    /// <param name="reason">What they are told.</param>
    /// <exception cref="ApiException">Clients are attached and may not be, or the pool is being closed already.</exception>
    public async Task CloseToClientsAsync(bool evenIfInUse, FenceReason reason)
    {
        ServedVolume[] all;
        lock (gate)
        {
            if (isClosing) throw new ApiException(ProblemKind.PoolUnavailable, $"pool {Name} is being closed");
            if (!evenIfInUse && open.Values.Concat(openSnapshots.Values).FirstOrDefault(volume => volume.Clients.Total > 0) is { } used)
                throw new ApiException(ProblemKind.InUse, $"pool {Name} is in use: {Describe(AllClients())}, one at least of {used.Path}");
            isClosing = true;
            all = [.. open.Values, .. openSnapshots.Values];
        }
        foreach (var volume in all) await volume.Front.CloseAsync(reason, evenIfInUse: true);
    }

    /// <summary>Lets clients in again: the pool stays after all.</summary>
    public void OpenToClients()
    {
        lock (gate)
        {
            isClosing = false;
            open.Clear(); // Those that are closed to clients stay so.
            openSnapshots.Clear();
        }
    }

    bool TryOpen(string name, [NotNullWhen(true)] out ServedVolume? volume)
    {
        Invariant.Require(gate.IsHeldByCurrentThread);
        volume = null;
        if (isClosing || leaving.Contains(name) || Find(name) is not { } info) return false;
        if (shrinking.Exists(each => each.Concerns(info))) return false;
        if (open.TryGetValue(name, out volume)) return true;
        if (pool.OpenVolume(name) is not { } device) return false;
        volume = open[name] = new ServedVolume(info, $"{Name}/{name}", device, report, timeProvider, guard?.Reservations.Of(info.Id));
        return true;
    }

    void RefuseInUse(string name, ServedVolume? opened)
    {
        if (opened?.Clients is { Total: > 0 } clients) throw InUse(name, clients);
    }

    ApiException InUse(string name, VolumeClients clients, string? hint = null) =>
        new(ProblemKind.InUse, $"volume {Name}/{name} is in use: {Describe(clients)}") { Hint = hint };

    static string Describe(VolumeClients clients)
    {
        (int Count, string One, string Many, string Protocol)[] all =
        [
            (clients.Nbd, "NBD client", "NBD clients", "NBD"),
            (clients.Iscsi, "iSCSI session", "iSCSI sessions", "iSCSI"),
            (clients.Nvme, "NVMe host", "NVMe hosts", "NVMe"),
        ];
        var there = Array.FindAll(all, each => each.Count > 0);
        return there is [var (count, one, many, _)]
            ? $"{count} {(count == 1 ? one : many)}"
            : string.Join(", ", there.Select(each => $"{each.Count} by {each.Protocol}"));
    }
}
