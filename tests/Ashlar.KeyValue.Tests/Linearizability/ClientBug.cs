namespace Ashlar.KeyValue.Tests;

/// <summary>What a client may do wrong on its way to the store, to see that the checker notices.</summary>
enum ClientBug
{
    None = 0,

    /// <summary>Reads from a snapshot that it keeps.</summary>
    StaleReads,

    /// <summary>Writes a batch as two puts.</summary>
    TornBatches,

    /// <summary>Reports a write as done that is still under way.</summary>
    EarlyAnswers,
}
