namespace Ashlar.Volumes;

/// <summary>How far deleted volumes have given back their space.</summary>
/// <param name="Volumes">Deleted volumes that still occupy some.</param>
/// <param name="TotalBytes">What they occupied when they were deleted, or when the pool was opened.</param>
/// <param name="FreedBytes">What of it is free again.</param>
public sealed record DeletionProgress(int Volumes, long TotalBytes, long FreedBytes);
