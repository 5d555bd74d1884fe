using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Ashlar.KeyValue.Extensions.Health;

/// <summary>
/// Healthy; degraded while writers are slowed down, space is short, or work in the background fails; unhealthy, or what the registration
/// says instead, when the store is closed or refuses every write.
/// </summary>
sealed class KeyValueHealthCheck(KeyValueStore store) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(Check(context.Registration.FailureStatus));

    HealthCheckResult Check(HealthStatus failureStatus)
    {
        KeyValueStatistics statistics;
        try
        {
            statistics = store.GetStatistics();
        }
        catch (ObjectDisposedException closed)
        {
            return new(failureStatus, "the store is closed", closed);
        }

        return Judge(statistics, store.Failure, failureStatus);
    }

    public static HealthCheckResult Judge(KeyValueStatistics statistics, Exception? failure, HealthStatus failureStatus)
    {
        var data = Describe(statistics);
        if (failure is not null) return new(failureStatus, failure.Message, failure, data);
        var problems = Problems(statistics).ToArray();
        return problems.Length == 0
            ? HealthCheckResult.Healthy("reads and writes go on", data)
            : HealthCheckResult.Degraded(string.Join("; ", problems), exception: null, data);
    }

    static IEnumerable<string> Problems(KeyValueStatistics statistics)
    {
        if (statistics.IsDiskFull) yield return "the disk is full: puts are refused, deletes go on";
        if (statistics.DelayPerMebibyte > TimeSpan.Zero)
        {
            yield return FormattableString.Invariant(
                $"writers are slowed down: each MiB waits {statistics.DelayPerMebibyte.TotalMilliseconds:0.#} ms for the background");
        }

        if (statistics.LastBackgroundFailure is { } problem) yield return $"flushes and merges do not go on: {problem}";
        if (statistics.LastArchiveFailure is { } archive) yield return $"the archive of the log is not written: {archive}";
    }

    static Dictionary<string, object> Describe(KeyValueStatistics statistics) => new(StringComparer.Ordinal)
    {
        ["space_bytes"] = statistics.SpaceBytes,
        ["live_bytes"] = statistics.LiveBytes,
        ["debt_bytes"] = statistics.DebtBytes,
        ["delay_per_mebibyte_seconds"] = statistics.DelayPerMebibyte.TotalSeconds,
        ["write_stalls"] = statistics.WriteStalls,
        ["is_disk_full"] = statistics.IsDiskFull,
        ["last_sequence"] = statistics.LastSequence,
        ["durable_sequence"] = statistics.DurableSequence,
    };
}
