using Ashlar.Blocks;
using Ashlar.Scsi;
using Ashlar.Storage;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>
/// The target side of all connections through all portals: reservations, resets and session reinstatement know no portals.
/// </summary>
sealed class IscsiNode(
    IIscsiTargets targets, BufferPool buffers, Action<string> report, IEntropySource entropy, IPathStates paths)
{
    readonly UnitTable units = new();

    public IIscsiTargets Targets => targets;

    /// <summary>Where challenges come from.</summary>
    public IEntropySource Entropy => entropy;

    public SessionTable Sessions { get; } = new();

    /// <summary>How units are reached through each portal.</summary>
    public IPathStates Paths => paths;

    /// <summary>Where the node can be reached; nowhere until all portals listen.</summary>
    public PortalAddresses Portals { get; set; } = new([], null);

    public void Report(string line) => report(line);

    /// <summary>The memory of a new session.</summary>
    public BufferShare OpenShare() => buffers.OpenShare();

    /// <summary>Opens a target for a session; null when there is none of that name.</summary>
    public IscsiTarget? OpenTarget(string target, ClientIdentity initiator) => targets.Open(target, initiator);

    /// <summary>Lets an initiator reach the units of a target.</summary>
    public ScsiNexus OpenNexus(IscsiTarget target, int portalGroupTag) => new(
        target.Name,
        $"{target.Name},t,0x{portalGroupTag:x4}",
        portalGroupTag,
        target.Luns.Select(units.Open),
        paths);

    /// <summary>The state of a portal has changed: every session hears of it, by whatever portal it came (SPC-4, 5.15.2.1).</summary>
    public void PathsChanged(object? sender, EventArgs change)
    {
        foreach (var session in Sessions.All) session.Nexus?.PathsChanged();
    }

    /// <summary>
    /// Ends a session. Order: nothing of it runs any more, so no late write can land; then its reservations end and the
    /// devices are let go; only then may a session that takes its place begin.
    /// </summary>
    public void End(IscsiSession session)
    {
        session.Quiesce();
        session.Nexus?.Dispose();
        session.Target?.Dispose();
        Sessions.Remove(session);
        session.Dispose();
    }
}
