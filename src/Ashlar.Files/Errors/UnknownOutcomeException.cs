using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>
/// Whether something was done is not known: what would have recorded it gave no answer. It is no failure of what was asked for. Uploads and
/// copies may be asked for again with the same number, and are done once as long as the file that was made is there; if another has
/// replaced it since, the repetition replaces that one, unless its condition says otherwise.
/// </summary>
public sealed class UnknownOutcomeException(Exception cause) : AshlarException(
    $"whether it was done is not known: {cause.Message}", cause);
