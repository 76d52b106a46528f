namespace ChemScale.Engine.Studies.Report;

/// <summary>Shape of a point. The open ones come in the order of the filled ones.</summary>
internal enum Mark
{
    Circle,
    Square,
    Triangle,
    Diamond,
    OpenCircle,
    OpenSquare,
    OpenTriangle,
    OpenDiamond,
    Cross,
}
