using Ashlar.Transport;

namespace Ashlar.Nvme;

/// <summary>What host and controller agreed on when a connection began.</summary>
/// <param name="Digests">For both directions.</param>
/// <param name="HostAlignment">In bytes: where data must begin in PDUs to the host.</param>
readonly record struct ConnectionSettings(Digests Digests, int HostAlignment);

/// <summary>The first PDUs of a connection: ICReq and ICResp (NVMe/TCP Transport 1.0, 3.2.1).</summary>
static class ConnectionSetup
{
    /// <summary>Settles what a connection uses; null when the host has left.</summary>
    public static ConnectionSettings? Run(Connection connection, PduReceiver pdus)
    {
        if (!connection.WaitForData()) return null;
        var frame = pdus.ReceiveHeader();
        if (frame.Type != PduType.InitializeConnectionRequest)
            throw new FatalErrorException(new(FatalStatus.PduSequenceError, 0, $"a {frame.Type} before the connection was initialized"));
        var request = InitializeRequest.Read(pdus.Received);
        if (Check(request) is { } error) throw new FatalErrorException(error);

        pdus.Digests = request.Digests;
        Span<byte> response = stackalloc byte[InitializeResponse.SizeBytes];
        // Alignment 0, which is 4 bytes: Linux speaks with no controller that wants more.
        new InitializeResponse(0, ControllerAlignment: 0, request.Digests, PduFrame.MaxHostDataBytes).Write(response);
        connection.Send(response);
        return new(request.Digests, (request.HostAlignment + 1) * PduFrame.DataAlignment);
    }

    public static FatalError? Check(in InitializeRequest request)
    {
        if (request.Version != 0)
            return new(FatalStatus.UnsupportedParameter, InitializeRequest.VersionOffset, $"version {request.Version} of the PDUs");
        if (request.HostAlignment > InitializeRequest.MaxAlignment)
        {
            return new(
                FatalStatus.InvalidHeaderField, InitializeRequest.AlignmentOffset, $"an alignment of {request.HostAlignment} units");
        }

        return null;
    }
}
