using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

// Waiting for what the limits of the volume allow. Requests that wait are not under way: neither an exchange of the device nor the end
// of the session waits for them.
public sealed partial class ClientSession
{
    /// <summary>
    /// The client has left, or is about to: requests that wait for the limits, now or later, end in
    /// <see cref="OperationCanceledException"/> and have no effect. Those that have passed go on.
    /// </summary>
    public void GiveUpWaiting() => leaving.Cancel();

    /// <summary>Whether the client has left, or is about to: what is made of many requests may as well stop between two.</summary>
    public bool IsLeaving => leaving.IsCancellationRequested;

    // What will be refused takes nothing from those who are served.
    bool MustWait(RateLimiter limiter, DriverOperation operation, long lengthBytes) =>
        operation != DriverOperation.Flush
        && !requests.IsFenced
        && !(IsRestricted && Refusal(operation) is not null)
        && !limiter.TryPass(BytesMoved(operation, lengthBytes));

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RunWhenPassedAsync(RateLimiter limiter, SessionRequest request, CancellationToken cancellationToken)
    {
        await PassAsync(limiter, request.Operation, request.LengthBytes, cancellationToken).ConfigureAwait(false);
        await RunWhenAdmittedAsync(request, cancellationToken).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask PassAsync(
        RateLimiter limiter, DriverOperation operation, long lengthBytes, CancellationToken cancellationToken)
    {
        try
        {
            await limiter.PassAsync(BytesMoved(operation, lengthBytes), cancellationToken, leaving.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (requests.IsFenced)
        {
            // Whoever is fenced is told so where requests are let in.
        }
    }

    static long BytesMoved(DriverOperation operation, long lengthBytes) =>
        operation is DriverOperation.Read or DriverOperation.Write ? lengthBytes : 0;
}
