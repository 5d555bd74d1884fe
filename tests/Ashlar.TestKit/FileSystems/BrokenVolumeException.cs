namespace Ashlar.TestKit;

/// <summary>What a test stands on has failed: its device or its mount, not what is tested.</summary>
public sealed class BrokenVolumeException(string message, Exception? cause = null) : Exception($"The test's own volume is broken: {message}", cause);
