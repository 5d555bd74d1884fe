using Ashlar.Nbd.Protocol;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

// Requests that a device completes later. They are answered on the device's own thread, which hands the reply over and is
// never held up: what the client does not take waits in the connection's queue.
sealed partial class Transmission
{
    /// <summary>Answers a request without data when its device is done; gives back its payload.</summary>
    async Task FinishLaterAsync(ValueTask pending, RequestHeader request, PooledBuffer? owned)
    {
        var heldBytes = owned?.Length ?? 0;
        inFlight.Enter(heldBytes);
        try
        {
            var error = NbdError.None;
            try
            {
                await pending;
            }
            catch (Exception e)
            {
                error = Explain(request, e);
            }
            PostStatus(request, error);
        }
        finally
        {
            owned?.Dispose();
            inFlight.Leave(heldBytes);
        }
    }

    void PostStatus(in RequestHeader request, NbdError error)
    {
        Span<byte> reply = stackalloc byte[MaxErrorReplyBytes];
        var length = error == NbdError.None ? WriteSuccess(reply, request) : WriteError(reply, request, error);
        connection.Post(reply[..length]);
    }
}
