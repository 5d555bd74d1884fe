namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>The workload is about to write its <paramref name="Step"/>-th change.</summary>
sealed record Begun(int Step);

/// <summary>The store has promised that everything up to the <paramref name="Step"/>-th change is durable.</summary>
sealed record Promised(int Step);
