namespace Ashlar.Files;

/// <summary>
/// Whoever works through many blocks asks between them whether to go on: it is told how many bytes the last one had, and waits while it is
/// paused, or was too fast. Nothing is held while it waits.
/// </summary>
public delegate ValueTask WorkPace(long bytes);
