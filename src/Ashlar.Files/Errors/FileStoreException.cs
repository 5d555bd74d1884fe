using Ashlar.Storage;

namespace Ashlar.Files;

/// <summary>Base of what the file store refuses. Nothing was changed.</summary>
public abstract class FileStoreException(string message, Exception? innerException = null) : AshlarException(message, innerException);
