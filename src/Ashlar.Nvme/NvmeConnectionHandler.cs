using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>Speaks NVMe/TCP with one host on one connection, which is one queue.</summary>
sealed class NvmeConnectionHandler(NvmeNode node, int portal) : IConnectionHandler
{
    public void Serve(Connection connection, CancellationToken draining)
    {
        var pdus = new PduReceiver(connection);
        try
        {
            if (ConnectionSetup.Run(connection, pdus) is not { } settings) return;
            using var share = node.OpenShare();
            using var queue = new QueuePair(node, portal, connection, pdus, settings, share);
            queue.Run(draining);
        }
        catch (FatalErrorException e)
        {
            SayWhy(connection, pdus, e.Error);
            node.Report($"nvme: connection {connection.Id} from {connection.RemoteEndPoint}: not NVMe/TCP: {e.Message}");
        }
        catch (HostTerminationException e)
        {
            node.Report($"nvme: connection {connection.Id} from {connection.RemoteEndPoint}: {e.Message}");
        }
    }

    // The host hears why before the connection closes (NVMe/TCP Transport 1.0, 3.7).
    static void SayWhy(Connection connection, PduReceiver pdus, FatalError error)
    {
        Span<byte> pdu = stackalloc byte[TerminationPdu.MaxBytes];
        var length = new TerminationPdu(error.Status, error.Information).Write(pdu, PduType.ControllerTermination, pdus.Received);
        connection.Send(pdu[..length]);
    }
}
