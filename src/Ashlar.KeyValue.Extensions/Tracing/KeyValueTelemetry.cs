namespace Ashlar.KeyValue.Extensions;

/// <summary>Names under which a program subscribes to what stores tell of themselves.</summary>
public static class KeyValueTelemetry
{
    /// <summary>
    /// The meter of the engine: what all open stores count and hold (<c>ashlar.kv.*</c>), observed when somebody collects; and
    /// <see cref="OperationDuration"/> of <see cref="TracedKeyValueStore"/>.
    /// </summary>
    public const string MeterName = "Ashlar.KeyValue";

    /// <summary>Source of the spans of <see cref="TracedKeyValueStore"/>.</summary>
    public const string ActivitySourceName = "Ashlar.KeyValue";

    /// <summary>Histogram of what operations took, in seconds.</summary>
    public const string OperationDuration = "db.client.operation.duration";

    /// <summary>What <c>db.system.name</c> is.</summary>
    public const string SystemName = "ashlar";
}
