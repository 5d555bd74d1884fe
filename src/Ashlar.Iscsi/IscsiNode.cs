using System.Net;
using Ashlar.Scsi;
using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>
/// The target side of all connections: logs initiators in, lets their sessions work, and cleans up after them.
/// </summary>
sealed class IscsiNode(IIscsiTargets targets, Action<string> report) : IConnectionHandler
{
    /// <summary>All portals show the same, so one group holds them.</summary>
    public const int PortalGroupTag = 1;

    readonly UnitTable units = new();

    public IIscsiTargets Targets => targets;

    public SessionTable Sessions { get; } = new();

    public void Report(string line) => report(line);

    /// <summary>The address by which an initiator reached us is the one that it can use again.</summary>
    public static string AddressOf(Connection connection)
    {
        var local = connection.LocalEndPoint;
        return local.Address.IsIPv4MappedToIPv6 ? new IPEndPoint(local.Address.MapToIPv4(), local.Port).ToString() : local.ToString();
    }

    public void Serve(Connection connection, CancellationToken draining)
    {
        var session = new LoginPhase(this, connection).Run();
        if (session is null) return;
        try
        {
            var phase = new FullFeaturePhase(session, this, connection);
            phase.Run();
            if (draining.IsCancellationRequested) phase.SayGoodbye();
        }
        catch (ProtocolException e)
        {
            report($"iscsi: cut off {session.Parameters.InitiatorName} at {connection.RemoteEndPoint}: {e.Message}");
        }
        catch
        {
            // Commands that still run must not wait for a connection that is broken.
            connection.Dispose();
            throw;
        }
        finally
        {
            End(session);
        }
    }

    /// <summary>Opens a target for a session; null when there is none of that name.</summary>
    public IscsiTarget? OpenTarget(string name) => targets.Open(name);

    /// <summary>Lets an initiator reach the units of a target.</summary>
    public ScsiNexus OpenNexus(IscsiTarget target) => new(
        target.Name,
        $"{target.Name},t,0x{PortalGroupTag:x4}",
        PortalGroupTag,
        target.Luns.Select(lun => KeyValuePair.Create(lun.Number, units.Open(lun))));

    /// <summary>
    /// Ends a session. Order: nothing of it runs any more, so no late write can land; then its reservations end and the
    /// devices are let go; only then may a session that takes its place begin.
    /// </summary>
    public void End(IscsiSession session)
    {
        session.Quiesce();
        if (session.Nexus is { } nexus)
        {
            nexus.Dispose();
            foreach (var unit in nexus.Units) units.Close(unit);
        }
        session.Target?.Dispose();
        Sessions.Remove(session);
        session.Dispose();
    }
}
