namespace Ashlar.Server;

/// <summary>How far a pool has come, of the server's view.</summary>
enum PoolStage
{
    /// <summary>It is in use.</summary>
    Ready = 0,

    /// <summary>It is being made: nobody has used it, and a start that finds it so takes it back.</summary>
    Creating,

    /// <summary>It was closed for good, so that its devices can be taken elsewhere; it is not opened.</summary>
    Exported,

    /// <summary>It is gone for everybody; a start that finds it so goes on to remove it.</summary>
    Deleting,
}
