using System.Diagnostics.Metrics;
using Ashlar.KeyValue.Extensions.Tracing;

namespace Ashlar.KeyValue.Extensions;

/// <summary>
/// Writes and upkeep of a store, each with a span and a duration. Reads have none, because they take less time than a span does:
/// <see cref="Store"/> is for them, and for everything else. What is done through the store itself is not traced.
/// </summary>
/// <remarks>
/// Spans are named <c>put orders</c>, with <c>db.system.name</c>, <c>db.namespace</c> (the name of the store, or its directory),
/// <c>db.operation.name</c>, <c>db.operation.batch.size</c> and <c>error.type</c>. Every method throws what the method of the store does.
/// </remarks>
public sealed partial class TracedKeyValueStore
{
    // From a write into the page cache to a merge of everything.
    static readonly double[] DurationBoundaries =
        [0.00001, 0.00003, 0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 100, 1000];

    static readonly Meter OwnMeter = new(KeyValueTelemetry.MeterName);

    readonly string name;
    readonly Histogram<double> durations;

    /// <summary>Puts spans and durations around a store, which stays its owner's.</summary>
    /// <param name="store">The store.</param>
    /// <param name="name">What <c>db.namespace</c> says.</param>
    /// <param name="meters">Makes the meter; null is one for the whole process.</param>
    public TracedKeyValueStore(KeyValueStore store, string name, IMeterFactory? meters = null)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentException.ThrowIfNullOrEmpty(name);
        (Store, this.name) = (store, name);
        var meter = meters?.Create(new MeterOptions(KeyValueTelemetry.MeterName)) ?? OwnMeter;
        durations = meter.CreateHistogram(
            KeyValueTelemetry.OperationDuration, "s", "Duration of writes and upkeep of a store", tags: null,
            new InstrumentAdvice<double> { HistogramBucketBoundaries = DurationBoundaries });
    }

    /// <summary>The store.</summary>
    public KeyValueStore Store { get; }

    /// <inheritdoc cref="KeyValueStore.Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability)" />
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync)
    {
        var operation = Begin("put");
        try
        {
            Store.Put(key, value, durability);
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }

        operation.End();
    }

    /// <inheritdoc cref="KeyValueStore.Put(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, Durability)" />
    public void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync)
    {
        var operation = Begin("put");
        try
        {
            Store.Put(key, value, timeToLive, durability);
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }

        operation.End();
    }

    /// <inheritdoc cref="KeyValueStore.Delete" />
    public void Delete(ReadOnlySpan<byte> key, Durability durability = Durability.Sync)
    {
        var operation = Begin("delete");
        try
        {
            Store.Delete(key, durability);
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }

        operation.End();
    }

    /// <inheritdoc cref="KeyValueStore.Write" />
    public void Write(WriteBatch batch, Durability durability = Durability.Sync)
    {
        ArgumentNullException.ThrowIfNull(batch);
        Run("write", batch.Count, () => Store.Write(batch, durability));
    }

    /// <inheritdoc cref="KeyValueStore.PutAsync(ReadOnlySpan{byte}, ReadOnlySpan{byte}, Durability, CancellationToken)" />
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        var operation = Begin("put");
        try
        {
            return Finish(operation, Store.PutAsync(key, value, durability, cancellationToken));
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }
        finally
        {
            operation.Leave();
        }
    }

    /// <inheritdoc cref="KeyValueStore.PutAsync(ReadOnlySpan{byte}, ReadOnlySpan{byte}, TimeSpan, Durability, CancellationToken)" />
    public ValueTask PutAsync(
        ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, TimeSpan timeToLive, Durability durability = Durability.Sync,
        CancellationToken cancellationToken = default)
    {
        var operation = Begin("put");
        try
        {
            return Finish(operation, Store.PutAsync(key, value, timeToLive, durability, cancellationToken));
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }
        finally
        {
            operation.Leave();
        }
    }

    /// <inheritdoc cref="KeyValueStore.DeleteAsync" />
    public ValueTask DeleteAsync(
        ReadOnlySpan<byte> key, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        var operation = Begin("delete");
        try
        {
            return Finish(operation, Store.DeleteAsync(key, durability, cancellationToken));
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }
        finally
        {
            operation.Leave();
        }
    }

    /// <inheritdoc cref="KeyValueStore.WriteAsync" />
    public ValueTask WriteAsync(
        WriteBatch batch, Durability durability = Durability.Sync, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(batch);
        var operation = Begin("write").WithBatch(batch.Count);
        try
        {
            return Finish(operation, Store.WriteAsync(batch, durability, cancellationToken));
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }
        finally
        {
            operation.Leave();
        }
    }

    /// <inheritdoc cref="KeyValueStore.Sync" />
    public void Sync() => Run("sync", 0, Store.Sync);

    /// <inheritdoc cref="KeyValueStore.Flush" />
    public void Flush() => Run("flush", 0, Store.Flush);

    /// <inheritdoc cref="KeyValueStore.Compact" />
    public void Compact() => Run("compact", 0, Store.Compact);

    /// <inheritdoc cref="KeyValueStore.Verify" />
    public VerificationReport Verify()
    {
        VerificationReport? report = null;
        Run("verify", 0, () => report = Store.Verify());
        return report!;
    }

    /// <inheritdoc cref="KeyValueStore.BackUp" />
    public BackupInfo BackUp(string directory, BackupMode mode = BackupMode.Incremental)
    {
        BackupInfo? info = null;
        Run("backup", 0, () => info = Store.BackUp(directory, mode));
        return info!;
    }

    TracedOperation Begin(string operation) => TracedOperation.Begin(durations, operation, name);

    void Run(string operationName, int batchSize, Action work)
    {
        var operation = Begin(operationName).WithBatch(batchSize);
        try
        {
            work();
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }

        operation.End();
    }

    static async ValueTask Finish(TracedOperation operation, ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            operation.End(failure);
            throw;
        }

        operation.End();
    }
}
