using Ashlar.Transport;

namespace Ashlar.Iscsi;

/// <summary>One address of a node: logs initiators in, lets their sessions work, and cleans up after them.</summary>
sealed class IscsiPortal(IscsiNode node, int portalGroupTag) : IConnectionHandler
{
    public void Serve(Connection connection, CancellationToken draining)
    {
        var session = new LoginPhase(node, portalGroupTag, connection).Run();
        if (session is null) return;
        // Once the connection is cut nobody is left to answer: what waits, for the limits of a volume, is given up.
        using var cut = connection.Closed.UnsafeRegister(static target => ((IscsiTarget?)target)?.Fence(), session.Target);
        try
        {
            var phase = new FullFeaturePhase(session, node, connection);
            phase.Run();
            if (draining.IsCancellationRequested) phase.SayGoodbye();
            else session.Target?.GiveUpWaiting(); // The initiator has left.
        }
        catch (ProtocolException e)
        {
            session.Target?.GiveUpWaiting();
            node.Report($"iscsi: cut off {session.Parameters.InitiatorName} at {connection.RemoteEndPoint}: {e.Message}");
        }
        catch
        {
            // Commands that still run must not wait for a connection that is broken.
            connection.Dispose();
            throw;
        }
        finally
        {
            node.End(session);
        }
    }
}
