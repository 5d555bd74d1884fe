using Ashlar.Blocks;

namespace Ashlar.Server;

// Who is attached, to volumes and to snapshots.
sealed partial class ServedPool
{
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
}
