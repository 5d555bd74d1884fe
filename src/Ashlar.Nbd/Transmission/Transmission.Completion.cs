using Ashlar.Nbd.Protocol;
using Ashlar.Transport;

namespace Ashlar.Nbd.Transmission;

// Requests that a device completes later. They are answered by a thread of the pool: a device's own thread, say one that
// commits for many, must not be held up by one client that does not read.
sealed partial class Transmission
{
    /// <summary>Answers a request without data when its device is done; gives back its payload.</summary>
    async Task FinishLaterAsync(Task pending, RequestHeader request, PooledBuffer? owned)
    {
        var heldBytes = owned?.Length ?? 0;
        inFlight.Enter(heldBytes);
        try
        {
            var error = NbdError.None;
            try
            {
                await pending.ConfigureAwait(false);
            }
            catch (Exception e)
            {
                error = Explain(request, e);
            }
            await LeaveDeviceThread();
            SendStatus(request.Cookie, error);
        }
        catch (ConnectionException)
        {
            // The connection is cut; its own thread reports it.
        }
        finally
        {
            owned?.Dispose();
            inFlight.Leave(heldBytes);
        }
    }

    void SendStatus(ulong cookie, NbdError error)
    {
        Span<byte> reply = stackalloc byte[MaxErrorReplyBytes];
        int length;
        if (error == NbdError.None)
        {
            new SimpleReplyHeader(error, cookie).Write(reply);
            length = SimpleReplyHeader.SizeBytes;
        }
        else
        {
            length = WriteError(reply, cookie, error);
        }
        connection.Send(reply[..length]);
    }

    static async ValueTask LeaveDeviceThread()
    {
        if (!Thread.CurrentThread.IsThreadPoolThread)
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
    }
}
