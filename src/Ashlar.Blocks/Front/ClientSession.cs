using System.Runtime.CompilerServices;
using Ashlar.Storage;

namespace Ashlar.Blocks;

/// <summary>
/// One client's way to a volume. It says who the client is, counts what it does, and can be fenced, which cuts it off without
/// asking it. Requests are those of <see cref="BlockDriver"/>, with its errors and these:
/// <see cref="SessionFencedException"/>, <see cref="ReservationConflictException"/>, <see cref="WriteProtectedException"/>.
/// </summary>
public sealed partial class ClientSession : IDisposable
{
    readonly BlockDriver driver;
    readonly RequestGate requests = new();
    readonly CancellationTokenSource fencing = new();
    readonly CancellationTokenSource leaving = new();
    readonly bool isReadOnly;
    FenceReason fencedFor;
    int isDetached;

    internal ClientSession(VolumeFront volume, ClientIdentity client, BlockDriver driver, DateTimeOffset attachedAt, bool isReadOnly)
    {
        this.isReadOnly = isReadOnly;
        this.driver = driver;
        Volume = volume;
        Client = client;
        Registrant = Registrant.Of(client);
        AttachedAt = attachedAt;
        Fenced = fencing.Token;
    }

    /// <summary>What it is attached to.</summary>
    public VolumeFront Volume { get; }

    /// <summary>Who.</summary>
    public ClientIdentity Client { get; }

    /// <summary>As whom it registers for reservations.</summary>
    public Registrant Registrant { get; }

    /// <summary>Since when.</summary>
    public DateTimeOffset AttachedAt { get; }

    /// <summary>Name of the volume, for messages.</summary>
    public string Name => Volume.Name;

    /// <summary>Size and shape of the volume now.</summary>
    public BlockGeometry Geometry => driver.Device.Geometry;

    /// <summary>Its size in bytes.</summary>
    public long SizeBytes => driver.SizeBytes;

    /// <summary>Whether the client may only read, or the device never takes writes.</summary>
    public bool IsReadOnly => isReadOnly || driver.Device.IsReadOnly;

    /// <summary>Whether there is anything to look at before a request.</summary>
    bool IsRestricted => isReadOnly || Volume.Access.IsRestricted;

    /// <summary>Requests under way; those that wait because of the volume's limits are not.</summary>
    public int InFlight => requests.Count;

    /// <summary>Fires when the session is fenced, so that its protocol can end the connection.</summary>
    public CancellationToken Fenced { get; }

    /// <summary>Whether nothing is done for the client any more.</summary>
    public bool IsFenced => requests.IsFenced;

    /// <summary>What the client has done: requests, bytes, failures and latencies by kind.</summary>
    public DriverStatistics GetStatistics() => driver.GetStatistics();

    /// <summary>Adds what the client has done.</summary>
    public void AddTo(DriverTotals totals) => driver.AddTo(totals);

    /// <summary>The last retries and failures.</summary>
    public DriverLog Log => driver.Log;

    /// <summary>Reads a byte range.</summary>
    public ValueTask ReadAsync(long offsetBytes, Memory<byte> destination, CancellationToken cancellationToken = default) =>
        RunAsync(SessionRequest.Read(offsetBytes, destination), cancellationToken);

    /// <summary>Writes a byte range.</summary>
    public ValueTask WriteAsync(
        long offsetBytes,
        ReadOnlyMemory<byte> source,
        WriteOptions options = WriteOptions.None,
        CancellationToken cancellationToken = default) =>
        RunAsync(SessionRequest.Write(offsetBytes, source, options), cancellationToken);

    /// <summary>Makes a byte range read as zeros.</summary>
    public ValueTask WriteZeroesAsync(
        long offsetBytes,
        long lengthBytes,
        ZeroOptions options = ZeroOptions.None,
        CancellationToken cancellationToken = default) =>
        RunAsync(SessionRequest.WriteZeroes(offsetBytes, lengthBytes, options), cancellationToken);

    /// <summary>Trims the whole blocks within a byte range.</summary>
    public ValueTask TrimAsync(long offsetBytes, long lengthBytes, CancellationToken cancellationToken = default) =>
        RunAsync(SessionRequest.Trim(offsetBytes, lengthBytes), cancellationToken);

    /// <summary>Makes every write that completed before this call durable, whoever wrote it.</summary>
    public ValueTask FlushAsync(CancellationToken cancellationToken = default) =>
        RunAsync(SessionRequest.Flush(), cancellationToken);

    /// <summary>Ends the session; the client's reservation ends with it. Its requests have ended before.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isDetached, 1) != 0) return;
        _ = FenceAsync(FenceReason.ClientDetached);
        Volume.Detach(this);
    }

    /// <summary>Why a request may not be carried out, or null.</summary>
    BlockDeviceException? Refusal(DriverOperation operation) =>
        isReadOnly && operation is not (DriverOperation.Read or DriverOperation.Flush)
            ? new DeviceReadOnlyException(Name)
            : Volume.Access.Refusal(this, operation);

    ValueTask RunAsync(in SessionRequest request, CancellationToken cancellationToken)
    {
        if (Volume.Limiter is { } limiter && MustWait(limiter, request.Operation, request.LengthBytes))
            return RunWhenPassedAsync(limiter, request, cancellationToken);
        if (!requests.TryEnter()) return RunWhenAdmittedAsync(request, cancellationToken);
        if (IsRestricted && Refusal(request.Operation) is { } refusal)
        {
            requests.Leave();
            return driver.Refused(request.Operation, request.OffsetBytes, request.LengthBytes, refusal);
        }
        var pending = request.Issue(driver, cancellationToken);
        if (!pending.IsCompletedSuccessfully) return FinishAsync(pending);
        pending.GetAwaiter().GetResult();
        requests.Leave();
        return ValueTask.CompletedTask;
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask FinishAsync(ValueTask pending)
    {
        try
        {
            await pending.ConfigureAwait(false);
        }
        finally
        {
            requests.Leave();
        }
    }

    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask RunWhenAdmittedAsync(SessionRequest request, CancellationToken cancellationToken)
    {
        await AdmitAsync(request.Operation, request.OffsetBytes, request.LengthBytes).ConfigureAwait(false);
        await FinishAsync(request.Issue(driver, cancellationToken)).ConfigureAwait(false);
    }

    /// <summary>Counts a request as under way as soon as it may be; the caller lets it leave.</summary>
    [AsyncMethodBuilder(typeof(WorkerMethodBuilder))]
    async ValueTask AdmitAsync(DriverOperation operation, long offsetBytes, long lengthBytes)
    {
        while (!requests.TryEnter())
        {
            if (requests.IsFenced)
                await driver.Refused(operation, offsetBytes, lengthBytes, new SessionFencedException(Name, fencedFor))
                    .ConfigureAwait(false);
            await Volume.WhenResumed().ConfigureAwait(false); // Not to be given up: an exchange is short.
        }
        if (IsRestricted && Refusal(operation) is { } refusal)
        {
            requests.Leave();
            await driver.Refused(operation, offsetBytes, lengthBytes, refusal).ConfigureAwait(false);
        }
    }
}
