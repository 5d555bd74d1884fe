namespace Ashlar.Volumes;

/// <summary>An instant at which snapshots are taken, of one volume or of several.</summary>
/// <param name="Volumes">The volumes.</param>
/// <param name="Generation">The generation that ends with it.</param>
/// <param name="Begun">Called when nobody changes anything any more that belongs to what was before.</param>
/// <param name="Complete">Writes down, durably, that the snapshots are there. Called when all that belongs to them is.</param>
sealed record Cut(IReadOnlyList<VolumeDevice> Volumes, long Generation, Action Begun, Action Complete);
