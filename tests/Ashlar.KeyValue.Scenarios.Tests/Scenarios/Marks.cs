namespace Ashlar.KeyValue.Scenarios.Tests;

/// <summary>The scenario is about to make its <paramref name="Step"/>-th change.</summary>
sealed record Begun(int Step);

/// <summary>Everything up to a change is promised to be durable: in one lane, or in all.</summary>
sealed record Promised(int Step, string? Lane);

/// <summary>A backup was reported.</summary>
sealed record BackedUp(ulong Number);

/// <summary>A backup is about to be deleted.</summary>
sealed record BackupGoes(ulong Number);

/// <summary>The archive has said that it holds everything up to a change.</summary>
sealed record Archived(int Step);

/// <summary>From here on another directory is the store: what was restored or repaired, which is durable.</summary>
sealed record Moved(int Generation, int Step);
